"""The liquidators' pages: stock, sales, imports, the live board, results.

Pages call the desk's services and know no SQL of theirs. What a person types is read by one table
of fields (`lot_fields`), for the form, for a cell of the grid and for many lots at once.
"""
