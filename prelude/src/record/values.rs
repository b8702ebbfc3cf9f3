//! Numbers in JSON. JSON has no word for NaN or infinity, but a run that diverged is a result too:
//! such a number is written as `null` and read back as NaN.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

type Values = BTreeMap<String, Vec<f64>>;

pub(super) fn serialize<S: Serializer>(values: &Values, to: S) -> Result<S::Ok, S::Error> {
    // `serde_json` writes every number that is not finite as `null`.
    values.serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Values, D::Error> {
    let values = BTreeMap::<String, Vec<Option<f64>>>::deserialize(from)?;
    let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let list = |(name, list): (String, Vec<_>)| (name, list.into_iter().map(number).collect());
    Ok(values.into_iter().map(list).collect())
}

/// A list as a reader wants it: every value of a short one, the ends of a long one.
pub(super) fn listed(values: &[f64]) -> String {
    let text = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
    match values {
        [first, second, .., last] if values.len() > 6 => {
            format!("{first}, {second}, … {last} ({} values)", values.len())
        }
        _ => text(values),
    }
}
