use super::*;

fn refused(text: &str) -> String {
    Program::parse(text).unwrap_err()
}

#[test]
fn a_command_alone_is_a_program_with_a_free_port_that_is_ready_once_it_takes_a_connection() {
    let program = Program::parse("command = [\"server\", \"{port}\"]").unwrap();
    assert_eq!(program.ports, BTreeMap::from([("port".to_owned(), 0)]));
    assert_eq!(program.ready, Ready::Connect);
    let json = serde_json::to_string(&program).unwrap();
    assert_eq!(serde_json::from_str::<Program>(&json).unwrap(), program);
}

#[test]
fn what_cannot_be_is_refused_by_its_key() {
    let command = "command = [\"x\"]\n";
    for (text, part) in [
        ("command = []", "command: it names no program"),
        (
            "command = [\"x\", \"{prot}\"]",
            "command: there is no variable `{prot}`; there are port, host",
        ),
        (&format!("{command}comand = []"), "unknown field `comand`"),
        (&format!("{command}[files]\n\"a.conf\" = \"{{admin}}\""), "files: there is no variable"),
        (&format!("{command}[files]\n\"../a\" = \"\""), "files: `../a` is no name"),
        (&format!("{command}ports = {{ admin = 0 }}"), "ports: there has to be a `port`"),
        (&format!("{command}ports = {{ port = 0, \"a-b\" = 0 }}"), "ports: `a-b` is no name"),
        (&format!("{command}ready = {{ line = \"(\" }}"), "`(`"),
        (&format!("{command}ready_within = \"0s\""), "ready_within: 0s"),
        (&format!("{command}stop_within = \"1h\""), "stop_within: 1h"),
    ] {
        let error = refused(text);
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn values_stand_for_their_variables_and_other_braces_for_themselves() {
    let values = Values::from([("port".to_owned(), "80".to_owned())]);
    for (text, filled) in [
        ("listen {port};", "listen 80;"),
        ("server { listen {port}; }", "server { listen 80; }"),
        ("{{port}} {port}{port}", "{port} 8080"),
        ("f(){{return {a: 1}}} %{HTTP:Upgrade} {", "f(){{return {a: 1}}} %{HTTP:Upgrade} {"),
        ("{{{port}}}", "{{port}}"),
        ("", ""),
    ] {
        assert_eq!(fill(text, &values).as_deref(), Ok(filled), "{text}");
    }
    assert_eq!(fill("{dir}/{port}", &values), Err("dir".to_owned()));
    assert_eq!(variables("a {dir} {{key}} { x } {port}"), ["dir", "port"]);
}

#[test]
fn a_pattern_finds_its_group_or_all_of_itself() {
    let pattern = |text: &str| toml::Value::String(text.to_owned()).try_into::<Pattern>().unwrap();
    assert_eq!(pattern("nginx/([0-9.]+)").find("nginx version: nginx/1.22.1"), Some("1.22.1"));
    assert_eq!(pattern("[0-9]+").find("port 80 of 90"), Some("80"));
    assert_eq!(pattern("x").find("y"), None);
}
