//! What is said of a method: a row of its namespace's table.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::Extensions;
use jsonrpsee::types::Params;

use crate::api::{Api, Handler, Pace, Reply, Runner};
use crate::arguments::Arguments;
use crate::caller::Caller;

/// Methods whose names begin alike.
pub(crate) struct Namespace {
    /// What stands before the underscore.
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) audience: Audience,
    /// In the order of their names.
    pub(crate) methods: &'static [Method],
}

/// Who may call a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Whoever reaches the node.
    Public,
    /// Its operator, who may call what the public may, too.
    Operator,
}

/// A method: all that is known of it.
#[derive(Clone, Copy)]
pub(crate) struct Method {
    pub(crate) name: &'static str,
    /// One sentence.
    pub(crate) about: &'static str,
    /// By position; those that must be there come first.
    pub(crate) arguments: &'static [Argument],
    pub(crate) result: Kind,
    pub(crate) run: Run,
    pub(crate) pace: Pace,
}

/// An argument of a method, or a field of an object.
#[derive(Clone, Copy)]
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

/// Values of a schema: one, a list, or perhaps null.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    One(&'static Schema),
    List(&'static Schema),
    Maybe(&'static Schema),
    MaybeList(&'static Schema),
}

/// A named set of JSON values.
pub(crate) struct Schema {
    pub(crate) name: &'static str,
    /// One sentence.
    pub(crate) about: &'static str,
    pub(crate) form: Form,
}

/// How a schema is said.
pub(crate) enum Form {
    /// JSON Schema as it stands.
    Json(&'static str),
    /// An object with these fields.
    Object(&'static [Argument]),
    /// Any of these.
    AnyOf(&'static [Kind]),
}

/// A method that depends on who calls it.
pub(crate) type CallerHandler = fn(&Api, &Arguments<'_>, Option<Caller>) -> Reply;

/// Runs a method that waits for the chain.
pub(crate) type Waiting = fn(Arc<Runner>, Params<'static>, Extensions) -> BoxFuture<'static, Reply>;

/// How a method runs.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// Beside other calls, a bounded number at a time.
    Call(Handler),
    /// The same, with an answer that is one thing, such as a block: nobody could ask for less, so
    /// the limit of an answer's bytes does not bind it.
    Whole(Handler),
    /// The same, for what executes again or searches: few at a time.
    Turn(Handler),
    /// The same, knowing who calls.
    CallOf(CallerHandler),
    /// In the order of its connection, and perhaps after those that it waits for.
    Submit(Waiting),
    /// For long, without a place among the calls that run.
    Wait(Waiting),
    /// Once, when the server starts: what is said of the methods that it serves.
    About(fn(&[&'static Method]) -> Reply),
    /// Over WebSocket only; `subscribe::register` has the function.
    Subscription,
}

impl Method {
    /// What stands before the underscore.
    pub(crate) fn namespace(&self) -> &'static str {
        let end = self.name.find(['_', '.']);
        end.map_or(self.name, |end| &self.name[..end])
    }

    /// How many arguments must be there.
    pub(crate) fn required(&self) -> usize {
        self.arguments.iter().filter(|it| it.required).count()
    }

    /// The same method, of those that read little.
    pub(super) const fn brief(self) -> Self {
        self.at(Pace::Brief)
    }

    /// The same method, which takes as long as that.
    pub(super) const fn at(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Whether it waits without a place among the calls that run.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.run, Run::Wait(_))
    }
}

/// A method that a function answers.
pub(super) const fn call(
    name: &'static str,
    about: &'static str,
    arguments: &'static [Argument],
    result: Kind,
    handler: Handler,
) -> Method {
    method(name, about, arguments, result, Run::Call(handler))
}

/// A method that a function answers, with one thing, however large.
pub(super) const fn whole(
    name: &'static str,
    about: &'static str,
    arguments: &'static [Argument],
    result: Kind,
    handler: Handler,
) -> Method {
    method(name, about, arguments, result, Run::Whole(handler))
}

/// A method that executes again or searches.
pub(super) const fn turn(
    name: &'static str,
    about: &'static str,
    arguments: &'static [Argument],
    result: Kind,
    handler: Handler,
) -> Method {
    method(name, about, arguments, result, Run::Turn(handler))
}

/// A method in full.
pub(super) const fn method(
    name: &'static str,
    about: &'static str,
    arguments: &'static [Argument],
    result: Kind,
    run: Run,
) -> Method {
    Method {
        name,
        about,
        arguments,
        result,
        run,
        pace: Pace::Long,
    }
}

/// An argument that must be there, or a field that always is.
pub(super) const fn need(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        required: true,
    }
}

/// An argument or a field that may be absent.
pub(super) const fn may(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        required: false,
    }
}

/// A schema that is said as JSON.
pub(super) const fn json(name: &'static str, about: &'static str, json: &'static str) -> Schema {
    Schema {
        name,
        about,
        form: Form::Json(json),
    }
}

/// The schema of an object.
pub(super) const fn object(
    name: &'static str,
    about: &'static str,
    fields: &'static [Argument],
) -> Schema {
    Schema {
        name,
        about,
        form: Form::Object(fields),
    }
}

/// A schema of several.
pub(super) const fn any_of(
    name: &'static str,
    about: &'static str,
    kinds: &'static [Kind],
) -> Schema {
    Schema {
        name,
        about,
        form: Form::AnyOf(kinds),
    }
}
