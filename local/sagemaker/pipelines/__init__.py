"""SageMaker Pipelines: a JSON definition -> executions whose steps really run, described as AWS describes them.

definition, parameters, conditions, references   what is written, read
validation, retries                              what of it is refused
pipelines, executions                            the operations
runner, values, role, steps                      what happens
progress                                         what is told
"""

from local.aws.service import Operation
from local.sagemaker.pipelines import executions, pipelines, runner

OPERATIONS: dict[str, Operation] = {**pipelines.OPERATIONS, **executions.OPERATIONS}
recover = executions.recover
end = runner.end
