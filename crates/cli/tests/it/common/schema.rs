//! `docs/record.schema.json`, held against records.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/record.schema.json");
    let mut schema =
        serde_json::from_slice(&fs::read(path).expect("it is there")).expect("it is JSON");
    close(&mut schema);
    jsonschema::validator_for(&schema).expect("it is a schema")
});

/// Has each object of the schema have no member but those that it names. For whoever reads records it is
/// open, since newer ones have more; what this build writes is to be in it.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.contains_key("properties") {
                members.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// The places of a record that the schema does not have so.
pub(crate) fn problems(record: &Value) -> Vec<String> {
    let short = |text: String| text.chars().take(200).collect::<String>();
    let errors = SCHEMA.iter_errors(record);
    errors.map(|error| format!("{}: {}", error.instance_path(), short(error.to_string()))).collect()
}

/// Checks the record in a run's folder, where there is one.
pub(crate) fn check(run: &Path) {
    let Ok(text) = fs::read(run.join("run.json")) else { return };
    let record = serde_json::from_slice(&text).expect("a record is JSON");
    let problems = problems(&record);
    assert!(problems.is_empty(), "docs/record.schema.json: {}", problems.join("\n"));
}
