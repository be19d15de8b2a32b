"""Plain Huey with a task that does nothing, to measure our own queue against."""

from __future__ import annotations

import os

from huey import Huey, PriorityRedisExpireHuey, SqliteHuey


def build_huey() -> Huey:
    if "BARE_REDIS_URL" in os.environ:
        return PriorityRedisExpireHuey("bare", url=os.environ["BARE_REDIS_URL"], results=False)
    return SqliteHuey("bare", filename=os.environ["BARE_FILE"], strict_fifo=True, results=False)


huey = build_huey()


@huey.task(name="nothing")  # type: ignore[untyped-decorator]  # Huey has no types
def do_nothing() -> None:
    pass


if __name__ == "__main__":
    from tests.queue import bare_huey  # under the name that the consumer knows

    for _ in range(int(os.environ["BARE_TASKS"])):
        bare_huey.do_nothing()
