//! Writes the workloads of training on a GPU as files, for `embert-bench worker` and for peer.py.

use std::{fs, path::Path};

use crate::{
    case::{Case, Processor},
    training,
};

/// Runs `workloads DIR`: writes files such as `bert-base-512-full-bf16.json`.
pub(crate) fn write(args: &[String]) -> Result<(), String> {
    let [folder] = args else { return Err("workloads needs the path of a folder".to_owned()) };
    fs::create_dir_all(folder).map_err(|source| format!("{folder}: {source}"))?;
    training::cases(Processor::Gpu).iter().try_for_each(|case| write_case(Path::new(folder), case))
}

fn write_case(folder: &Path, Case { name, workload }: &Case) -> Result<(), String> {
    let path = folder.join(file_name(name));
    let text = serde_json::to_string(workload).expect("a workload is JSON");
    fs::write(&path, text).map_err(|source| format!("{}: {source}", path.display()))
}

fn file_name(case: &str) -> String {
    format!("{}.json", case.replace(' ', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Workload;
    use embert_kernels::Precision;

    #[test]
    fn file_names_have_shape_method_and_precision() {
        let cases = training::cases(Processor::Gpu);
        assert_eq!(cases.len(), 18);
        let case = cases.iter().find(|case| file_name(&case.name) == "bert-base-512-lora-fp16.json");
        let text = serde_json::to_string(&case.expect("a row").workload).expect("JSON");
        let workload: Workload = serde_json::from_str(&text).expect("it was written here");
        assert_eq!((workload.precision(), workload.batch_size, workload.on_gpu), (Precision::Fp16, 32, true));
    }
}
