"""Object of a bucket -> probability -> a row: what one writes first. pydicom, Pillow, an ONNX session, boto3.

Clients and model are made once, at import, with the libraries' defaults. The usual script has PyTorch in the place of
ONNX Runtime; that is not installed here (a serving function could not hold it: 754 MB), so this one runs the project's
own model. It checks nothing, leaves the patient where he is, sees no text in the pixels, explains nothing, asks nobody
and writes no DICOM.
"""

import os
from decimal import Decimal
from io import BytesIO
from typing import Any

import boto3
import numpy as np
import onnxruntime
from PIL import Image
from pydicom import dcmread
from pydicom.pixels import apply_modality_lut, apply_voi_lut

s3 = boto3.client("s3")
rows = boto3.resource("dynamodb").Table(os.environ["STUDIES_TABLE"])
session = onnxruntime.InferenceSession(os.environ["MODEL_URI"])
(given,) = session.get_inputs()


def handler(event: dict[str, Any], _context: object) -> float:
    """The probability of a pneumonia."""
    content = s3.get_object(Bucket=os.environ["IDENTIFIED_BUCKET"], Key=f"instances/{event['instance']}.dcm")
    probability = read(content["Body"].read())
    rows.put_item(Item={"study": event["study"], "probability": Decimal(str(probability))})
    return probability


def read(content: bytes) -> float:
    """Of one file."""
    dataset = dcmread(BytesIO(content))
    values = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset).astype(float)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        values = values.max() - values
    grey = (255 * (values - values.min()) / (values.max() - values.min())).astype(np.uint8)
    side = given.shape[2]
    image = np.asarray(Image.fromarray(grey).resize((side, side)))[None, None]
    answer = session.run(["probability"], {given.name: image})
    return float(answer[0][0])
