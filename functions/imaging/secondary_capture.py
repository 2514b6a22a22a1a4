"""De-identified image and the model's heat map -> one picture of both, labelled, as a DICOM secondary capture.

Left the image as the model saw it, right the same with what it looked at in colour (class activation map, Zhou et al.,
CVPR 2016). The label is burned in: it stays with the picture wherever that goes.
"""

from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from cuatro.errors import Rejected
from functions.imaging.own_objects import (
    LABEL,
    MANUFACTURER,
    MODEL_NAME,
    content_time,
    label,
    of_study,
    own_uid,
    reference,
)
from functions.imaging.progress import Item

SERIES_NUMBER = 9002
PANEL = 640
"""Rows of each picture: the whole object has some 3 MB and needs no compression that a viewer may not know."""
MAX_PIXELS = 2048 * 2048
_BAND, _GAP, _SMALLEST, _WIDEST = 44, 8, 320, 1280
_MOST = 0.55
"""Of the colour where the map is highest: the anatomy below it must stay visible."""

Picture = npt.NDArray[np.uint8]


def secondary_capture(item: Item, header: Dataset, picture: Picture, reading: tuple[str, int], number: int) -> Dataset:
    """picture: uint8[rows, columns, 3], see `drawn`. header: of the de-identified image. reading: study and revision.

    number: of the instance in its series. Equal for equal arguments.
    """
    made = of_study(header)
    made.SOPClassUID = SecondaryCaptureImageStorage
    made.SOPInstanceUID = own_uid("sc", *reading, item.instance)
    made.SeriesInstanceUID = own_uid("sc series", *reading)
    made.SeriesNumber, made.InstanceNumber = SERIES_NUMBER, number
    made.Modality, made.ConversionType = "OT", "WSD"
    made.SeriesDescription = LABEL
    made.Manufacturer, made.ManufacturerModelName = MANUFACTURER, MODEL_NAME
    made.SecondaryCaptureDeviceManufacturer = MANUFACTURER
    made.SecondaryCaptureDeviceManufacturerModelName = MODEL_NAME
    made.SoftwareVersions = made.SecondaryCaptureDeviceSoftwareVersions = item.model_version or "none"
    made.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    made.DerivationDescription = "Image beside itself with a class activation map drawn over it"
    made.SourceImageSequence = [reference(header)]
    made.ImageComments = label(item.model_version)
    made.BodyPartExamined = "CHEST"  # or the model had not read it
    made.PatientOrientation = None  # two pictures beside each other have none
    made.BurnedInAnnotation = "NO"  # the label identifies nobody
    made.RecognizableVisualFeatures = "NO"
    made.LossyImageCompression = str(header.get("LossyImageCompression") or "00")
    if made.LossyImageCompression == "01":
        made.LossyImageCompressionRatio = header.get("LossyImageCompressionRatio")
        made.LossyImageCompressionMethod = header.get("LossyImageCompressionMethod")
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PlanarConfiguration = 3, "RGB", 0
    made.Rows, made.Columns = picture.shape[:2]
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
    made.PixelData = picture.tobytes() + bytes(picture.size % 2)
    date, time = content_time(header)
    made.ContentDate = made.SeriesDate = made.DateOfSecondaryCapture = made.InstanceCreationDate = date
    made.ContentTime = made.SeriesTime = made.TimeOfSecondaryCapture = made.InstanceCreationTime = time
    return made


def drawn(item: Item, image: bytes, heatmap: bytes) -> Picture:
    """PNGs of the normalised image and of its map (grey: 0 nothing, 255 most) -> uint8[rows, columns, 3].

    Raises Rejected for what is no picture, or too large a one.
    """
    grey = _opened(image)
    scale = PANEL / grey.height
    size = (min(_WIDEST, max(_SMALLEST, round(grey.width * scale))), PANEL)
    left = grey.resize(size, Image.Resampling.LANCZOS)
    heat = _opened(heatmap).resize(size, Image.Resampling.BICUBIC)
    canvas = Image.new("RGB", (2 * size[0] + _GAP, PANEL + 2 * _BAND))
    canvas.paste(left, (0, _BAND))
    canvas.paste(Image.fromarray(_overlaid(np.asarray(left), np.asarray(heat))), (size[0] + _GAP, _BAND))
    draw = ImageDraw.Draw(canvas)
    _write(draw, LABEL, 0, canvas.width, (255, 210, 60))
    _write(draw, caption(item), PANEL + _BAND, canvas.width, (230, 230, 230))
    return np.asarray(canvas)


def caption(item: Item) -> str:
    """What the model says, in a line."""
    words = {"pneumonia": "suggests pneumonia", "normal": "no sign of pneumonia", "not_readable": "not readable"}
    said = [f"Model {item.model_version or 'none'}: {words[item.finding]}"]
    if item.probability is not None and item.finding != "not_readable":
        said.append(f"probability {item.probability:.2f}")
    if item.unsure:
        said.append("unsure")
    return ", ".join(said)


def _opened(png: bytes) -> Image.Image:
    """8-bit grey, as the suite's own functions wrote it."""
    try:
        picture = Image.open(BytesIO(png), formats=["PNG"])
        if picture.width * picture.height > MAX_PIXELS:
            raise Rejected(f"a picture of {picture.width} x {picture.height} is too large", code="oversized")
        return picture.convert("L")
    except (OSError, SyntaxError, ValueError):
        raise Rejected("there is no picture to show", code="damaged") from None


def _overlaid(grey: Picture, heat: Picture) -> Picture:
    """uint8[rows, columns] twice -> uint8[rows, columns, 3]: black, red, yellow over grey, by how high the map is."""
    level = heat.astype(np.float32) / 255
    colour = np.stack([np.clip(2 * level, 0, 1), np.clip(2 * level - 1, 0, 1), np.zeros_like(level)], axis=-1) * 255
    share = (_MOST * level)[..., None]
    return (grey[..., None] * (1 - share) + colour * share).round().astype(np.uint8)


def _write(draw: ImageDraw.ImageDraw, text: str, top: int, width: int, colour: tuple[int, int, int]) -> None:
    """In the middle of a band, as large as fits."""
    size = 26.0
    while size > 8:
        font = ImageFont.load_default(size)
        if draw.textlength(text, font) <= width - 16:
            break
        size -= 1
    draw.text((width / 2, top + _BAND / 2), text, colour, font, anchor="mm")
