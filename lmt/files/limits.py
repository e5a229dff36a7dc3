"""How much of a stranger's file is looked at, held and believed."""

from __future__ import annotations

MAX_COLUMNS = 500
# Python's csv refuses longer fields, by a limit that is one for the whole process: stay under it.
MAX_RECORD_CHARS = 131_072
MAX_RECORD_LINES = 2_000
# What a spreadsheet's cell can hold.
MAX_CELL_CHARS = 32_767
MAX_COLUMN_NAME_CHARS = 200

SAMPLE_BYTES = 512 * 1024
SAMPLE_RECORDS = 400
SAMPLE_CELL_CHARS = 1_000
SAMPLE_CHARS = 2_000_000
HEADER_WITHIN_RECORDS = 30
BLOCK_BYTES = 256 * 1024

# Of one workbook, unpacked; the child process is held to the others.
MAX_UNPACKED_BYTES = 1_500_000_000
MAX_UNPACKED_RATIO = 150
RATIO_COUNTS_FROM_BYTES = 50_000_000
MAX_ARCHIVE_ENTRIES = 20_000
MAX_SHEETS = 200
WORKBOOK_MEMORY_BYTES = 640_000_000
WORKBOOK_CPU_SECONDS = 120
WORKBOOK_CPU_SECONDS_AT_LEAST = 15
WORKBOOK_BYTES_A_CPU_SECOND = 500_000
WORKBOOK_SECONDS = 300
MAX_CONVERTED_BYTES = 2_000_000_000
