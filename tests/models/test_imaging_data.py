"""Zips of chest films: what is read from them, whose an image is, and that no patient is on both sides of the split."""

import io
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image

from models.imaging.augmentation import augmented
from models.imaging.data import HELD_OUT, decoded, digest, held_out, kind_of, label_of, patient_of, read

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "imaging" / "chest_xray_train.zip"


def picture(seed: int = 1, form: str = "PNG", mode: str = "L", size: tuple[int, int] = (96, 80)) -> bytes:
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0])).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).convert(mode).save(file, form)
    return file.getvalue()


def zipped(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def test_folders_may_stand_anywhere_and_the_rest_is_passed_over(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "films.zip",
        {
            "deep/er/test/NORMAL/IM-0001-0001.jpeg": picture(1, "JPEG"),
            "deep/er/test/pneumonia/person1_virus_6.PNG": picture(2),
            "PNEUMONIA/person80_bacteria_389.png": picture(3, mode="RGB"),
            "PNEUMONIA/notes.txt": b"no image",
            "PNEUMONIA/.hidden.png": b"no image",
            "__MACOSX/NORMAL/IM-0001-0001.jpeg": b"no image",
            "elsewhere/film.png": picture(4),
            "NORMAL/": b"",
        },
    )
    found, bad = read(path)
    assert [(each.name, each.label, each.kind, each.patient) for each in found] == [
        ("person80_bacteria_389.png", 1, 0, "person80"),
        ("IM-0001-0001.jpeg", 0, -1, "im1"),
        ("person1_virus_6.PNG", 1, 1, "person1"),
    ]
    assert bad == 0
    assert all(each.image.dtype == np.uint8 and each.image.shape == (80, 96) for each in found)


def test_the_nearest_folder_decides() -> None:
    assert label_of(PurePosixPath("PNEUMONIA/x/NORMAL/a.png")) == 0
    assert label_of(PurePosixPath("normal/a.png")) == 0
    assert label_of(PurePosixPath("NORMAL.zip/a.png")) is None
    assert label_of(PurePosixPath("NORMAL.png")) is None


@pytest.mark.parametrize(
    ("name", "patient", "kind"),
    [
        ("person1954_bacteria_4886.jpeg", "person1954", 0),
        ("person0023_virus_1.jpeg", "person23", 1),
        ("IM-0115-0001.jpeg", "im115", -1),
        ("NORMAL2-IM-0115-0001-0002.jpeg", "im115", -1),
        ("NORMAL2-IM-1406-0001.jpeg", "im1406", -1),
        ("whoever.png", "whoever", -1),
    ],
)
def test_names_tell_the_patient(name: str, patient: str, kind: int) -> None:
    assert patient_of(PurePosixPath("x") / name) == patient
    assert kind_of(PurePosixPath("x") / name) == kind


def test_what_is_no_image_is_named_or_counted(tmp_path: Path) -> None:
    entries = {"NORMAL/a.png": picture(1), "NORMAL/b.png": b"nonsense", "PNEUMONIA/c.png": picture(2, size=(63, 90))}
    path = zipped(tmp_path / "films.zip", entries)
    with pytest.raises(ValueError, match=r"b\.png is no image"):
        read(path)
    found, bad = read(path, skip_bad=True)
    assert ([each.name for each in found], bad) == (["a.png"], 2)
    for content, why in ((b"no zip", "no zip file"), (None, "no images in folders")):
        other = tmp_path / "other.zip"
        if content is None:
            zipped(other, {"pictures/a.png": picture()})
        else:
            other.write_bytes(content)
        with pytest.raises(ValueError, match=why):
            read(other)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.zip")


def test_a_damaged_zip_is_told(tmp_path: Path) -> None:
    path = zipped(tmp_path / "films.zip", {"NORMAL/a.png": picture(1)})
    content = bytearray(path.read_bytes())
    content[60:70] = b"\0" * 10
    path.write_bytes(content)
    with pytest.raises(ValueError, match="no zip file that can be read"):
        read(path)


def test_sixteen_bits_keep_their_range() -> None:
    wide = (np.arange(80 * 96, dtype=np.uint32).reshape(80, 96) + 1000).astype(np.uint16)
    file = io.BytesIO()
    Image.fromarray(wide).save(file, "PNG")
    found = decoded(file.getvalue(), "wide.png")
    assert (found.min(), found.max()) == (0, 255)
    assert found.mean() == pytest.approx(127, abs=2)


def test_a_patient_is_on_one_side_only_and_the_same_in_every_run() -> None:
    patients = [f"person{number // 3}" for number in range(6000)]
    out = held_out(patients)
    assert out.mean() == pytest.approx(HELD_OUT, abs=0.03)
    assert (held_out(patients[::-1])[::-1] == out).all()
    assert not (held_out(patients, seed=8) == out).all()
    for patient in set(patients):
        assert len(set(out[np.array(patients) == patient])) == 1


def test_the_hash_tells_any_change(tmp_path: Path) -> None:
    entries = {"NORMAL/a.png": picture(1), "PNEUMONIA/b.png": picture(2)}
    hashes = {digest(read(zipped(tmp_path / "1.zip", entries))[0])}
    for changed in (
        {**entries, "PNEUMONIA/b.png": picture(3)},
        {"NORMAL/a.png": picture(1), "NORMAL/b.png": picture(2)},
        {**entries, "NORMAL/c.png": picture(4)},
    ):
        hashes.add(digest(read(zipped(tmp_path / "1.zip", changed))[0]))
    assert len(hashes) == 4


@pytest.mark.skipif(not DATA.exists(), reason="the public training set is not bundled")
def test_no_patient_of_the_training_set_is_on_both_sides() -> None:
    with zipfile.ZipFile(DATA) as archive:
        names = [PurePosixPath(name) for name in archive.namelist() if name.endswith(".jpeg")]
    assert len(names) == 5216
    patients = [patient_of(name) for name in names]
    out = held_out(patients)
    assert not {one for one, held in zip(patients, out, strict=True) if held} & {
        one for one, held in zip(patients, out, strict=True) if not held
    }
    held = [label_of(name) for name, each in zip(names, out, strict=True) if each]
    assert (held.count(0), held.count(1)) == (252, 707)


def test_augmentation_keeps_the_form_and_is_the_same_for_the_same_seed() -> None:
    y, x = np.mgrid[0:224, 0:224] / 224
    film = (127 + 100 * np.sin(6 * x) * np.cos(5 * y)).astype(np.uint8)
    made = [augmented(film, np.random.default_rng(seed)) for seed in range(60)]
    assert {each.shape for each in made} == {(224, 224)}
    assert {each.dtype for each in made} == {np.dtype(np.uint8)}
    assert len({each.tobytes() for each in made}) == 60
    assert (made[7] == augmented(film, np.random.default_rng(7))).all()
    assert (augmented(film, np.random.default_rng(7), 0) == film).all()
    mild = [augmented(film, np.random.default_rng(seed), 0.1) for seed in range(60)]
    off = [min(np.abs(each.astype(int) - way).mean() for way in (film, film[:, ::-1])) for each in mild]
    assert np.median(off) < 20
