"""`make simulate SEEDS=n [SEED=k]`: runs seeds and prints how many a second; the first that breaks tells its story."""

import asyncio
import sys
import time
from collections import Counter

from tests.simulation.run import simulator


async def main(first: int, seeds: int) -> int:
    """Run seeds from `first` on; return the exit code."""
    started = time.perf_counter()
    seen: Counter[str] = Counter()
    most_rounds = 0
    async with simulator() as machines:
        for seed in range(first, first + seeds):
            story = await machines.run(seed)
            seen += story.seen
            most_rounds = max(most_rounds, story.rounds)
            if story.broken is not None:
                print(story.told())
                return 1
            if seeds == 1:
                print("\n".join(story.trace))
    took_s = time.perf_counter() - started
    print(f"{seeds} seeds hold, {seeds / took_s:.1f} a second; at rest after at most {most_rounds} rounds. Seen:")
    print("\n".join(f"{count:8}  {what}" for what, count in sorted(seen.items())))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]))))
