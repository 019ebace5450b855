use super::*;

fn config(name: &str, security: Security) -> String {
    let program = name.parse::<ProxyName>().unwrap().program(security);
    program.files.into_values().collect()
}

#[test]
fn every_file_is_one_of_a_proxy_that_says_what_to_type_where_it_is_missing() {
    for name in ProxyName::all() {
        assert!(!name.about().is_empty());
        for security in [Security::Clear, Security::Tls] {
            let program = name.program(security);
            assert!(program.needs[0].hint.starts_with("apt install "), "{name}");
            program.check().unwrap();
            let text = config(name.as_str(), security);
            assert!(!text.contains('@'), "{text}");
            assert_eq!(text.contains("{cert}"), security == Security::Tls, "{text}");
        }
        assert_eq!(name.to_string().parse(), Ok(name));
    }
}

/// The remedy that the report prints is all that parts the two.
#[test]
fn the_default_lacks_the_lines_of_its_remedy_and_no_others() {
    let mut with_default = 0;
    for name in ProxyName::all().filter(|name| !name.missing_lines().is_empty()) {
        let sibling = name.as_str().strip_suffix(BY_DEFAULT).unwrap();
        with_default += 1;
        for security in [Security::Clear, Security::Tls] {
            let (bare, whole) = (config(name.as_str(), security), config(sibling, security));
            let mut lacking: Vec<&str> = whole.lines().map(str::trim).collect();
            for line in bare.lines() {
                let at = lacking.iter().position(|other| *other == line.trim()).unwrap();
                lacking.remove(at);
            }
            assert_eq!(lacking, name.missing_lines());
        }
        assert!(name.missing_lines().iter().all(|line| name.remedy().contains(line)));
    }
    assert_eq!(with_default, 3);
}

#[test]
fn a_name_that_none_has_is_refused_with_those_that_there_are() {
    let error = "squid".parse::<Via>().unwrap_err();
    assert!(
        error.contains("`squid`") && error.contains("nginx, nginx-default, haproxy"),
        "{error}"
    );
    assert!(error.contains("`direct`"), "{error}");
}
