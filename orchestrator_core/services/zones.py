"""Time zones by their IANA names."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from orchestrator_core.errors import UsageError

UTC = "UTC"


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone with that IANA name.

    Raises:
        UsageError: there is none; names that are like it are offered.

    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError; a folder is an OSError
        raise UsageError(
            f"there is no time zone {name!r}",
            cause="zones go by their IANA names, in the case they are written in there",
            remedy=_remedy(name),
            code="zone",
        ) from error


def local_zone() -> str:
    """Return the IANA name of this machine's time zone: of `TZ` or of what the system is set to.

    It is UTC when nobody can tell, as in a container whose `/etc/localtime` is a copy.
    """
    import logging

    from tzlocal import get_localzone_name

    logging.getLogger("tzlocal").setLevel(logging.CRITICAL)  # of two files that differ it would tell the whole screen
    try:
        name = get_localzone_name()
        return zone_of(name).key if name else UTC
    except (KeyError, UsageError):  # two files of the system that differ; a `TZ` that names no zone
        return UTC


def _remedy(name: str) -> str:
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    by_folded = {zone.casefold(): zone for zone in available_timezones()}
    by_city = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(by_folded.values())}
    wanted = name.strip().casefold().replace(" ", "_")
    like = [by_folded[match] for match in get_close_matches(wanted, by_folded, n=3)]
    like += [by_city[match] for match in get_close_matches(wanted, by_city, n=3)]
    offered = list(dict.fromkeys(like))[:3]
    return f"name one such as {' or '.join(offered or ['Europe/Berlin'])}"
