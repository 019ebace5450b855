//! Flags as commands have them that take one value of each setting.

use clap::Arg;

/// The words of a flag's help for what such a command refuses.
const LIST: &str = "; may be a list";

/// The flag, whose help speaks of one value.
pub(super) fn of_one_value(arg: Arg) -> Arg {
    let help = arg.get_help().map(ToString::to_string);
    match help.filter(|help| help.contains(LIST)) {
        Some(help) => arg.help(help.replace(LIST, "")),
        None => arg,
    }
}
