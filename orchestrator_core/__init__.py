"""tmorch without a screen: models, adapters, services, supervisor and the `tmorch` command."""

__version__ = "0.1.0"
