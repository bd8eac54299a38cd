"""Manifests as they come: any spreadsheet of goods becomes checked lines, or a list of faults.

A file goes one way: ``reading`` (bytes -> sheets of cells; ``decoding``, ``delimited``,
``workbook_guard``, ``workbook``), ``tables`` (where the header is, what is a line of goods and
what is a title or a total), ``columns`` (which column means what; ``vocabulary``, ``words``,
``profiles``, ``matching``, ``relations``), ``lines`` (cells -> ``ManifestLine``; ``texts``,
``amounts``, ``currencies``, ``gtins``, ``grades``, ``weights``), ``results``. All of that runs in
a child process (``worker``), for a spreadsheet of a stranger is a program for a parser;
``importer`` is what others call. ``changes`` says what a new version of a manifest changes.

Nothing here knows a list of sources. A header that was never seen is mapped by its words and by
its values, and a person may correct it.
"""
