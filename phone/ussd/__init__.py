"""The USSD menu: ``engine`` runs a turn, ``model`` says what a screen is, the other
modules declare the screens."""
