"""Times as people read them."""

from datetime import datetime, timedelta

# The last millisecond that RFC 3339 can say with any offset.
_LATEST_MS = 253_402_207_200_999


def times_of(ms: int) -> dict:
    """RFC 3339, in UTC and in Taipei, where there has been no summer time since 1979."""
    if ms > _LATEST_MS:
        return {"utc": f"{ms} ms", "taipei": f"{ms} ms"}

    def text(of: int) -> str:
        whole = (datetime(1970, 1, 1) + timedelta(seconds=of // 1000)).isoformat()
        fraction = f"{of % 1000:03}".rstrip("0")
        return f"{whole}.{fraction}" if fraction else whole

    return {"utc": f"{text(ms)}Z", "taipei": f"{text(ms + 8 * 3_600_000)}+08:00"}
