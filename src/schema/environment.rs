//! The environment variables that SageMaker's containers load models and code from.
//!
//! The value of such a variable may be the only place that names the weights of a model. Values of other variables may
//! name outputs, caches or data of the training.

/// Variables whose value may be an S3 URL that a container loads, with the container and the source of this knowledge.
const LOADED: [(&str, &str); 9] = [
    // sagemaker-inference-toolkit and sagemaker-containers, which the PyTorch, TensorFlow, MXNet, scikit-learn, XGBoost
    // and Hugging Face containers build on: the folder or archive with the code of SAGEMAKER_PROGRAM.
    ("SAGEMAKER_SUBMIT_DIRECTORY", "SageMaker Inference Toolkit, parameters.py"),
    // DJL Serving and the LMI containers read HF_MODEL_ID as option.model_id, and OPTION_<NAME> as option.<name>. They
    // download these locations before they load the model.
    ("HF_MODEL_ID", "DJL Serving, LMI configurations"),
    ("OPTION_MODEL_ID", "DJL Serving, ModelInfo.downloadS3"),
    ("OPTION_S3URL", "DJL Serving, ModelInfo.downloadS3: the name of OPTION_MODEL_ID before it was renamed"),
    ("OPTION_SPECULATIVE_DRAFT_MODEL", "DJL Serving, ModelInfo.downloadS3"),
    ("OPTION_COMPILED_GRAPH_PATH", "DJL Serving, Transformers NeuronX user guide"),
    ("OPTION_DRAFT_MODEL_COMPILED_PATH", "DJL Serving, Transformers NeuronX user guide"),
    // The entry points of the deep learning containers pass SM_VLLM_<NAME> and SM_SGLANG_<NAME> on as flags.
    ("SM_VLLM_MODEL", "AWS Deep Learning Containers, vLLM; vLLM, Run:ai Model Streamer"),
    ("SM_SGLANG_MODEL_PATH", "AWS Deep Learning Containers, SGLang"),
];

/// Whether a container of SageMaker loads from the S3 URL in this variable.
pub fn is_loaded_from(variable: &str) -> bool {
    LOADED.iter().any(|(name, _)| *name == variable)
}
