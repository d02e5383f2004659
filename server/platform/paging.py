"""The parameters by which every list is read page by page."""

from dataclasses import dataclass
from typing import Annotated

from litestar.di import Provide
from litestar.params import QueryParameter


@dataclass(frozen=True, slots=True)
class Paging:
    """`before` is the last page's `next`, absent for the first page; `limit` is how many lines a page has at most."""

    before: Annotated[str | None, QueryParameter(max_length=8000)] = None
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50


PAGING = {"paging": Provide(Paging, sync_to_thread=False)}
