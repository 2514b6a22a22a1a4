"""What of each package a Lambda layer holds: the packages that run, without tests, headers, tools and second copies.

Measured for this list, unzipped: core 3.4 MB and inference 88 MB, instead of 45 MB and 165 MB; text 9 MB, collect
3 MB, dicom 106 MB instead of 140 MB, report 34 MB. A test imports and scores with these layers alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Slim:
    """`keep`: distributions to install, of all that requirements.txt pins. `drop`: globs to delete afterwards."""

    keep: tuple[str, ...]
    drop: tuple[str, ...]


_EVERYWHERE = ("**/*.pyi", "**/*.pxd", "**/*.h", "**/tests", "**/testing/_private", "bin")

SLIM: Mapping[str, Slim] = {
    "core": Slim(
        keep=("aws-lambda-powertools", "chalice", "jmespath", "msgspec", "typing-extensions"),
        drop=(
            *_EVERYWHERE,
            # Chalice's router only: its packager, its policies and its command line stay at home.
            *(f"chalice/{name}" for name in ("api", "cdk", "cli", "deploy", "templates", "vendored", "policies*.json")),
            *(f"chalice/{name}.py" for name in (
                "analyzer", "awsclient", "compat", "config", "constants", "invoke", "logs", "package", "pipeline",
                "policy", "utils",
            )),
            "chalice/local.py", "chalice/test.py",
            # What needs packages that no function has (pydantic, fastjsonschema, ...), and its second HTTP router.
            *(f"aws_lambda_powertools/utilities/{name}" for name in (
                "auth_alpha", "data_masking", "feature_flags", "idempotency", "kafka", "parser", "streaming",
                "validation",
            )),
            "aws_lambda_powertools/event_handler",
        ),
    ),
    "inference": Slim(
        # Protocol and flat buffers are for ONNX Runtime's tools; loading and scoring a model needs neither.
        keep=("numpy", "onnxruntime"),
        drop=(
            *_EVERYWHERE,
            "onnxruntime/capi/libonnxruntime.so.*",  # a second copy of what the Python module links statically
            *(f"onnxruntime/{name}" for name in ("tools", "transformers", "quantization", "datasets", "backend")),
            *(f"numpy/{name}" for name in ("f2py", "_core/include", "_core/lib", "_pyinstaller", "random/lib")),
            "numpy/conftest.py",
        ),
    ),
    "text": Slim(
        keep=("sentencepiece", "py3langid"),
        # Training of tokenizers, readers of their files that need protobuf, and a server.
        drop=(*_EVERYWHERE, "sentencepiece/package_data", "sentencepiece/*_pb2.py", "**/*.cc", "py3langid/server.py"),
    ),
    "dicom": Slim(
        keep=(
            "pydicom", "pylibjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle", "python-gdcm", "pillow", "numpy",
            "python-multipart",
        ),
        drop=(
            *_EVERYWHERE,
            *(f"numpy/{name}" for name in ("f2py", "_core/include", "_core/lib", "_pyinstaller", "random/lib")),
            "numpy/conftest.py",
            # pydicom's own test files, colour palettes and examples; of the rest nothing is drawn, spoken or listed.
            *(f"pydicom/{name}" for name in ("data/test_files", "data/charset_files", "data/palettes", "cli")),
            *(f"{name}/tests" for name in ("openjpeg", "rle", "pylibjpeg")), "rle/benchmarks", "**/*.pyx",
            # GDCM's shared libraries lie there three times under three names, beside its programs and its dictionary.
            "_gdcm/lib*.so", "_gdcm/lib*.so.*.*.*", "_gdcm/libgdcmcharls.so.2.0", "_gdcm/XML", "_gdcm/pkgconfig",
            "_gdcm/scripts", "_gdcm/gdcm[a-r]*[!y]", "_gdcm/gdcmscanner", "_gdcm/gdcmscu", "_gdcm/gdcmtar",
            "_gdcm/gdcmxml",
            # Formats of the web and of screens.
            "PIL/_avif*", "pillow.libs/libavif*", "PIL/_webp*", "pillow.libs/libwebp*", "pillow.libs/libsharpyuv*",
            "PIL/_imagingcms*", "pillow.libs/liblcms2*", "PIL/_imagingtk*",
        ),
    ),
    "report": Slim(
        keep=("highdicom", "pyjpegls", "packaging"),
        drop=_EVERYWHERE,
    ),
    "collect": Slim(
        keep=("feedparser", "feedparser-sgmllib", "phonenumberslite"),
        drop=_EVERYWHERE,
    ),
}  # fmt: skip
