"""The engine says what the rules say, told a second time; and its shortcut changes nothing."""

from typing import Any

import pytest
from hypothesis import given, settings

from sync.merging.causal_history import read
from sync.merging.document import Document
from sync.merging.merge import WaitingMerge, combine
from sync.merging.resolution import combined
from sync.revisions.canonical import canonical
from tests.sync.merge_histories import documents
from tests.sync.merge_world import FORM, Story
from tests.sync.second_merge import told

pytestmark = pytest.mark.slow
EXAMPLES = settings(deadline=None, max_examples=200)


def computed(story: Story, content: Any) -> bytes:
    """Return a content with what its form computes: where nothing was merged the engine leaves that to who saved."""
    answers = content.get("answers")
    if isinstance(answers, dict) and content.get("form"):
        content = {**content, "answers": story.forms.check(FORM, "1", answers).answers}
    return canonical(content)


@EXAMPLES
@given(documents())
def test_the_engine_says_what_the_second_telling_says(given_: tuple[Story, Document]) -> None:
    story, document = given_
    one, other = combine(document, story.forms), told(document, story.forms)
    assert isinstance(one, WaitingMerge) == (other is None)
    if other is not None and not isinstance(one, WaitingMerge):
        assert one.is_deleted == other.is_deleted
        assert one.is_deleted or computed(story, one.content) == computed(story, other.content)
        assert one.is_deleted or dict(one.open) == other.open


@EXAMPLES
@given(documents())
def test_the_same_stands_and_is_asked_with_and_without_the_base(given_: tuple[Story, Document]) -> None:
    story, document = given_
    one, whole = combine(document, story.forms), read(document, story.forms, has_base=False)
    if not isinstance(one, WaitingMerge) and not isinstance(whole, WaitingMerge):
        other = combined(whole, story.forms)
        assert one.is_deleted or computed(story, one.content) == computed(story, other.content)
        assert one.is_deleted or one.open == other.open
