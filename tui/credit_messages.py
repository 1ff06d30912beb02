"""What the person wants on the screen that shows credit."""

from __future__ import annotations

from tui.messages import Wish


class CreditWish(Wish):
    """A wish about credit."""


class CreditsOpened(CreditWish):
    """The person wants to see how much is used."""


class CreditsWanted(CreditWish):
    """What is known of credit is to be read again."""
