//! Values that have names: any text is read, and shells complete the names that there are.

use std::ffi::OsStr;
use std::str::FromStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::error::Error;
use clap::{Arg, Command};
use pushbench_core::link::LinkName;
use pushbench_core::proxy::{ProxyName, Via};
use pushbench_core::subject::{OWN, Subject, SubjectName};
use pushbench_core::{Contender, Delivery, link};
use pushbench_protocol::headers;

use crate::scenarios;

/// Text beside names that it may be.
#[derive(Clone)]
pub(super) struct Names(fn() -> Vec<&'static str>);

impl TypedValueParser for Names {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter().map(PossibleValue::new)))
    }
}

/// A parser of texts as `T` reads them, beside names that it has.
fn read<T>(names: fn() -> Vec<&'static str>) -> impl TypedValueParser<Value = T>
where
    T: FromStr + Clone + Send + Sync + 'static,
    T::Err: Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
{
    Names(names).try_map(|text: String| text.parse::<T>())
}

/// A transport on a stack.
pub(super) fn contender() -> impl TypedValueParser<Value = Contender> {
    read(|| Contender::all().map(Contender::name).collect())
}

/// A transport as `read_basic` takes it.
pub(super) fn basic(
    read_basic: fn(&str) -> Result<Contender, String>,
) -> impl TypedValueParser<Value = Contender> {
    let names = Names(|| Contender::basic().map(Contender::name).collect());
    names.try_map(move |text: String| read_basic(&text))
}

/// A scenario, built in or a file.
pub(super) fn scenario() -> Names {
    Names(|| scenarios::names().collect())
}

/// A header profile, built in or a file.
pub(super) fn profile() -> Names {
    Names(|| headers::names().collect())
}

/// A link that has a name.
pub(super) fn link() -> impl TypedValueParser<Value = LinkName> {
    read(|| link::names().collect())
}

/// The way that clients take to the server.
pub(super) fn via() -> impl TypedValueParser<Value = Via> {
    read(|| {
        let proxies = ProxyName::all().map(ProxyName::as_str);
        std::iter::once("direct").chain(proxies).collect()
    })
}

/// A server that is built in, or a file that describes one.
pub(super) fn subject() -> impl TypedValueParser<Value = SubjectName> {
    read(|| std::iter::once(OWN).chain(subjects()).collect())
}

/// The name of a server that is not ours.
pub(super) fn foreign_subject() -> Names {
    Names(|| subjects().collect())
}

fn subjects() -> impl Iterator<Item = &'static str> {
    Subject::built_in().map(|subject| subject.name.as_str())
}

/// The promise to clients.
pub(super) fn delivery() -> impl TypedValueParser<Value = Delivery> {
    read(|| vec!["every", "latest"])
}
