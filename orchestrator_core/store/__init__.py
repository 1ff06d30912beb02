"""The embedded database: one repository per noun."""
