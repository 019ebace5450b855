//! Prices that a user names: examples that are built in, and files.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use pushbench_core::price::{MAX_PRICE_BYTES, Price};
use pushbench_report::bounded;

use crate::exit::Failure;

/// The prices of that name, or in that file.
pub(crate) fn read(name: Option<&str>) -> Result<Option<Price>, Failure> {
    let Some(name) = name else { return Ok(None) };
    if let Some(example) = Price::built_in().find(|price| price.name == name) {
        return Ok(Some(example));
    }
    let path = Path::new(name);
    if path.extension().is_none() && !path.is_file() {
        return Err(unknown(name));
    }
    let text = bounded::read_text(path, MAX_PRICE_BYTES);
    let text = text.with_context(|| format!("cannot read the prices {name}"));
    let price = Price::parse(&text.map_err(Failure::Usage)?);
    price.map(Some).map_err(|error| Failure::usage(anyhow!("prices {name}: {error}")))
}

fn unknown(name: &str) -> Failure {
    let names: Vec<String> = Price::built_in().map(|price| price.name).collect();
    Failure::usage(anyhow!(
        "no prices are called `{name}`: it is no file, and the examples are {}",
        names.join(" and ")
    ))
}
