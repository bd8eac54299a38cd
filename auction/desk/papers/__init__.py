"""The desk on paper: the catalogue of a sale and the tags of its pallets, as PDF.

``reading`` makes words of the tables, ``press`` hands them to a child process (``worker``), which
sets them (``catalogue``, ``floor_tags``) and answers with the document.
"""
