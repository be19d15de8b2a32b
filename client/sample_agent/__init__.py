"""A command line client of SP404MK2 Sample Agent."""
