"""The hospital's side: takes studies from what speaks DICOM only, keeps them, and sends them on when it can."""
