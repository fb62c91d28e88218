"""The defects a new tenant starts with, in both languages; ops may add their own."""

from qc.enums import DefectClass

# Code, English, Swahili, class. ASCII only: the words go into one-part SMS.
DEFAULT_DEFECTS: tuple[tuple[str, str, str, DefectClass], ...] = (
    ("scratch", "scratch", "mkwaruzo", DefectClass.QUALITY),
    ("wrong-size", "wrong size", "kipimo si sawa", DefectClass.QUALITY),
    ("crack", "crack", "ufa", DefectClass.QUALITY),
    ("rough-finish", "rough finish", "haijasuguliwa vizuri", DefectClass.QUALITY),
    ("loose-joint", "loose joint", "kiungo kimelegea", DefectClass.QUALITY),
    ("wrong-shape", "wrong shape", "umbo si sawa", DefectClass.QUALITY),
    ("stain", "stain", "doa", DefectClass.QUALITY),
    ("wrong-hole", "hole off centre", "tundu si katikati", DefectClass.QUALITY),
    # Nature's own variety: a lower grade, never a rejection (facts A43, C1).
    (
        "colour-differs",
        "colour differs from batch",
        "rangi tofauti",
        DefectClass.CONSISTENCY,
    ),
    (
        "stipple-differs",
        "pattern differs from batch",
        "madoa tofauti",
        DefectClass.CONSISTENCY,
    ),
)
