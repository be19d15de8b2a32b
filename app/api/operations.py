"""The table of every operation of the JSON API; the routes and the OpenAPI document are made from it."""

from __future__ import annotations

from app.api import (
    collection_schemas,
    duplicate_schemas,
    render_schemas,
    sample_schemas,
    schemas,
    similar_schemas,
)
from app.api.kit_fill_operations import KIT_FILL_OPERATIONS
from app.api.kit_operations import IMPORT_KIT, KIT_OPERATIONS
from app.api.operation import Operation
from app.models.api_token import EXPORTS_WRITE, JOBS_READ, SAMPLES_READ, SAMPLES_WRITE

PREFIX = "/api"

UPLOAD = Operation(
    "upload",
    "POST",
    "/upload",
    "Upload one file",
    "WAV, AIFF, FLAC, MP3, M4A and OGG work. The format is detected from the content, not the file name. "
    "Poll the job until it is done.",
    ability=SAMPLES_WRITE,
    status=202,
    answer=schemas.UploadAnswer,
    form=schemas.UploadForm,
    headers=schemas.UploadHeaders,
    problems=(409, 507),
)
START_UPLOAD = Operation(
    "start_upload",
    "POST",
    "/uploads",
    "Get a link to send one file to",
    "The file goes straight to the object store: send the bytes to `url` by PUT with exactly these "
    "`headers`, then create the job. 409 on a server without an object store: use `upload` there.",
    ability=SAMPLES_WRITE,
    status=201,
    answer=schemas.LinkAnswer,
    body=schemas.LinkRequest,
    problems=(409,),
)
COMPLETE_UPLOAD = Operation(
    "complete_upload",
    "POST",
    "/uploads/{upload_id}/job",
    "Create the job for a file sent to its link",
    "Sending the same request again returns the same job. 409 while the file has not arrived.",
    ability=SAMPLES_WRITE,
    status=202,
    answer=schemas.UploadAnswer,
    problems=(409, 422),
)
FIND_KNOWN = Operation(
    "find_known",
    "POST",
    "/uploads/known",
    "Ask which files are there already",
    "By the SHA-256 of the whole file. A file is known when it is the original of a sample, or its upload is "
    "still waiting or running; files in the trash are not.",
    ability=SAMPLES_READ,
    answer=schemas.KnownAnswer,
    body=schemas.KnownRequest,
)
SHOW_JOB = Operation(
    "show_job", "GET", "/jobs/{job_id}", "Get a job's progress", ability=JOBS_READ, answer=schemas.JobAnswer
)
CANCEL_JOB = Operation(
    "cancel_job",
    "DELETE",
    "/jobs/{job_id}",
    "Cancel a job",
    "It no longer counts towards the plan. Cancelling twice is fine; a finished job can't be cancelled.",
    ability=SAMPLES_WRITE,
    answer=schemas.JobAnswer,
    problems=(409,),
)
LIST_SAMPLES = Operation(
    "list_samples",
    "GET",
    "/samples",
    "List and search samples",
    ability=SAMPLES_READ,
    answer=sample_schemas.SamplesAnswer,
    query=sample_schemas.SamplesQuery,
)
SHOW_SAMPLE = Operation(
    "show_sample",
    "GET",
    "/samples/{sample_id}",
    "Get a sample",
    ability=SAMPLES_READ,
    answer=sample_schemas.SampleAnswer,
)
FIND_SIMILAR = Operation(
    "find_similar",
    "GET",
    "/samples/{sample_id}/similar",
    "Find samples that sound like one",
    "The nearest first; of equally near ones the oldest first. 409 for a sample that was analysed before "
    "sounds were compared: analyse it again first.",
    ability=SAMPLES_READ,
    answer=similar_schemas.SimilarSamplesAnswer,
    query=similar_schemas.SimilarSamplesQuery,
    problems=(409,),
)
LIST_DUPLICATES = Operation(
    "list_duplicates",
    "GET",
    "/duplicates",
    "List duplicates",
    "Groups of samples with the same audio or the same recording, the most space to free first. A new "
    "sample is compared within moments of its job's end.",
    ability=SAMPLES_READ,
    answer=duplicate_schemas.DuplicatesAnswer,
    query=duplicate_schemas.DuplicatesQuery,
)
LIST_COLLECTIONS = Operation(
    "list_collections",
    "GET",
    "/collections",
    "List collections",
    "All of them, by name.",
    ability=SAMPLES_READ,
    answer=collection_schemas.CollectionsAnswer,
)
EDIT_SAMPLE = Operation(
    "edit_sample",
    "PATCH",
    "/samples/{sample_id}",
    "Name, tag and correct a sample",
    "A correction replaces what was measured or described, and stays when the sample is analysed or "
    "described again. Sending the value that was found is not a correction.",
    ability=SAMPLES_WRITE,
    answer=sample_schemas.SampleAnswer,
    body=sample_schemas.SamplePatch,
)
DELETE_SAMPLE = Operation(
    "delete_sample",
    "DELETE",
    "/samples/{sample_id}",
    "Delete a sample",
    "Its storage is freed at once.",
    ability=SAMPLES_WRITE,
    status=204,
)
DESCRIBE_SAMPLE = Operation(
    "describe_sample",
    "POST",
    "/samples/{sample_id}/describe",
    "Describe a sample again",
    "AI describes it within your budget, otherwise the built-in rules do. Your corrections stay. "
    "Until that job is done, sending the same request again returns the same job.",
    ability=SAMPLES_WRITE,
    status=202,
    answer=schemas.UploadAnswer,
)
ANALYSE_SAMPLE = Operation(
    "analyse_sample",
    "POST",
    "/samples/{sample_id}/analyse",
    "Analyse a sample again",
    "The current engine analyses it and renders its WAV again. Your corrections stay, and so does an AI "
    "description. Until that job is done, sending the same request again returns the same job.",
    ability=SAMPLES_WRITE,
    status=202,
    answer=schemas.UploadAnswer,
)
DOWNLOAD_SAMPLE = Operation(
    "download_sample",
    "GET",
    "/samples/{sample_id}/download",
    "Download a sample",
    f"Redirects to a signed link that works for 15 minutes. `sp404` needs `{EXPORTS_WRITE}` too.",
    ability=SAMPLES_READ,
    status=302,
    query=sample_schemas.DownloadQuery,
    problems=(409,),
)
RENDER_SAMPLE = Operation(
    "render_sample",
    "POST",
    "/samples/{sample_id}/renders",
    "Shape a sample by a recipe",
    "The original stays as it is. Poll the job: once it is done, it names the shaped sound. If the same "
    "sound is still stored, it is returned at once and not counted. Sending the same request again while "
    "the job is under way returns the same job.",
    ability=SAMPLES_WRITE,
    status=202,
    answer=render_schemas.RenderOrderAnswer,
    body=render_schemas.RenderRequest,
)
DOWNLOAD_RENDER = Operation(
    "download_render",
    "GET",
    "/renders/{render_id}/download",
    "Download a shaped sound",
    "Redirects to a signed link that works for 15 minutes. 404 once it has made room for newer ones: send "
    "its recipe again. A sound that was only listened to so far counts as a shaped sound, once in 24 hours.",
    ability=SAMPLES_READ,
    status=302,
    problems=(422,),
)
FIND_CHOPS = Operation(
    "find_chops",
    "GET",
    "/samples/{sample_id}/chops",
    "Find where to cut a sample into slices",
    "Cuts are at zero crossings and at least 60 ms apart.",
    ability=SAMPLES_READ,
    answer=render_schemas.ChopsAnswer,
    query=render_schemas.ChopsQuery,
)
ORDER_SLICES = Operation(
    "order_slices",
    "POST",
    "/samples/{sample_id}/slice-archives",
    "Cut a sample into slices, as one ZIP of WAVs",
    "The WAVs are named like `01 Amen 92 Fm.wav`. Poll the job: once it is done, `render` is the ZIP. The "
    "ZIP counts as one shaped sound. If it is still stored, it is returned at once and not counted. Sending "
    "the same request again while the job is under way returns the same job.",
    ability=SAMPLES_WRITE,
    status=202,
    answer=render_schemas.RenderOrderAnswer,
    body=render_schemas.SlicesRequest,
)
SHOW_USAGE = Operation("show_usage", "GET", "/usage", "Get plan usage", answer=schemas.UsageAnswer)

__all__ = ["IMPORT_KIT", "OPERATIONS", "PREFIX"]

OPERATIONS = (
    UPLOAD,
    START_UPLOAD,
    COMPLETE_UPLOAD,
    FIND_KNOWN,
    SHOW_JOB,
    CANCEL_JOB,
    LIST_SAMPLES,
    SHOW_SAMPLE,
    FIND_SIMILAR,
    LIST_DUPLICATES,
    LIST_COLLECTIONS,
    EDIT_SAMPLE,
    DELETE_SAMPLE,
    DESCRIBE_SAMPLE,
    ANALYSE_SAMPLE,
    DOWNLOAD_SAMPLE,
    RENDER_SAMPLE,
    DOWNLOAD_RENDER,
    FIND_CHOPS,
    ORDER_SLICES,
    *KIT_OPERATIONS,
    *KIT_FILL_OPERATIONS,
    SHOW_USAGE,
)
