"""What exams and assignments share: files that are uploaded, parsed into a draft, corrected, and confirmed.

An `UploadKind` says what is particular to one of them; everything else is here, once.
"""
