"""Helpers of the black-box tests. Nothing here knows how the program works inside: only its documented interfaces."""
