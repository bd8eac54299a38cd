"""Recorded auctions, played again on virtual time through the real writer and a real log.

input_csv     rows of a CSV file; each fault named by file, line and column
ebay maxsold  what a recording means: a ``Recording`` of commands with their times
driver        plays a recording and gathers what became of each lot
results       the results, whole or not at all
"""
