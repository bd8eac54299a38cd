"""What a file may be, each bound with its reason. Beyond one of them a file is refused."""

from typing import Final

# A truckload by the piece, 20,000 lines with long texts, is under 20 MB as CSV.
MAX_FILE_BYTES: Final = 32 * 2**20
# What the parts of a workbook that are read may inflate to: 20,000 lines of 60 columns.
MAX_INFLATED_BYTES: Final = 96 * 2**20
# What all parts of a workbook say that they inflate to, pictures among them.
MAX_CLAIMED_BYTES: Final = 512 * 2**20
MAX_PARTS: Final = 5_000
MAX_SHEETS: Final = 100

# A line of text. No spreadsheet's cell is longer than 32,767 characters.
MAX_LINE_BYTES: Final = 64 * 1024
# Lines of text, or rows of a sheet, whatever is in them: titles, totals, blank ones.
MAX_ROWS: Final = 100_000
# A manifest has 5 to 60 columns.
MAX_COLUMNS: Final = 512
# Of all sheets, blank ones counted where a row has others behind them: what memory is made of.
MAX_CELLS: Final = 2_500_000
# A cell's text is cut beyond it before it is looked at.
MAX_CELL_CHARACTERS: Final = 2_000

# Of the child process: its address space, and what it may take.
MEMORY_BYTES: Final = 300 * 2**20
CPU_S: Final = 20
# On a busy machine its share of a core may be small.
PATIENCE_S: Final = 60.0

# Errors and warnings that are reported one by one; the others are counted.
MAX_REPORTED: Final = 1_000
# Notes are for a person to read.
MAX_NOTES: Final = 200
# A header is looked for in so many rows.
HEADER_ROWS: Final = 100
# Values that a column is judged by.
SAMPLE_ROWS: Final = 1_500
