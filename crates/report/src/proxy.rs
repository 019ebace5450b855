//! The proxies of a run, in words.

use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::proxy::ProxyRecord;

/// A line for each proxy that stood before the server: its version, and the names that it gives itself.
pub(crate) fn of_run(record: &RunRecord) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for proxy in record.standing().filter_map(|trial| trial.proxy.as_ref()) {
        let line = words(proxy);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if !lines.is_empty() {
        let cost =
            "A proxy's CPU and memory are those of all its processes, and no part of the server's.";
        lines.push(cost.to_owned());
    }
    lines
}

fn words(proxy: &ProxyRecord) -> String {
    let version = proxy.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let fields = [("Server", &proxy.named.server), ("Via", &proxy.named.via)];
    let fields = fields
        .into_iter()
        .filter_map(|(name, value)| Some(format!("`{name}: {}`", value.as_ref()?)));
    let fields: Vec<String> = fields.collect();
    let named = match fields.as_slice() {
        [] => ", which does not name itself in its answers".to_owned(),
        fields => format!(", whose answers say {}", fields.join(" and ")),
    };
    format!("Proxy {}: {}{version}{named}.", proxy.name, proxy.name.program_name())
}

#[cfg(test)]
mod tests {
    use pushbench_metrics::record::proxy::Named;

    use super::*;

    #[test]
    fn a_proxy_is_told_with_its_version_and_by_what_it_calls_itself() {
        let mut proxy = ProxyRecord {
            name: "nginx-default".parse().unwrap(),
            version: Some("1.22.1".to_owned()),
            named: Named::default(),
        };
        let told = "Proxy nginx-default: nginx 1.22.1, which does not name itself in its answers.";
        assert_eq!(words(&proxy), told);
        proxy.named = Named { server: Some("nginx".to_owned()), via: Some("1.1 x".to_owned()) };
        assert!(words(&proxy).ends_with(", whose answers say `Server: nginx` and `Via: 1.1 x`."));
    }
}
