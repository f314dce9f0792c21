"""Times as clients send them."""
import datetime
import zoneinfo


def from_now(zone="Asia/Kolkata", **delta):
    """An RFC 3339 text, whole seconds, delta (timedelta's names) from now."""
    now = datetime.datetime.now(zoneinfo.ZoneInfo(zone)).replace(microsecond=0)
    instant = (now.astimezone(datetime.timezone.utc) + datetime.timedelta(**delta)).astimezone(zoneinfo.ZoneInfo(zone))
    return instant.isoformat()


def in_zone(text, zone):
    """The same instant as an answer of a shop in that zone prints it."""
    text = text.upper().replace("Z", "+00:00")
    return datetime.datetime.fromisoformat(text).replace(microsecond=0).astimezone(zoneinfo.ZoneInfo(zone)).isoformat()
