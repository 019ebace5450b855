//! Settings as a scenario lists them, and as an axis shows them.

use crate::client::ClientKind;
use crate::ip::IpVersion;
use crate::life::{Halt, Reconnect};
use crate::link::{BurstLength, LinkName, QueueLimit, Ways};
use crate::named::Preference;
use crate::proxy::Via;
use crate::scenario::Values;
use crate::subject::SubjectName;
use crate::talk::Pattern;
use crate::tls::{CertificateKey, Cipher, Group, Versions};
use crate::units::{BitRate, ByteSize, Count, Rate, Share, Span};

/// A list of a scenario, which may be missing: then it has a single value, which is another's.
pub(super) trait List {
    type Value;

    fn values(&self) -> Option<&[Self::Value]>;

    /// How many values it has.
    fn len(&self) -> usize {
        self.values().map_or(1, <[_]>::len)
    }

    /// Sets a point's `setting` to the value at place `at`, if there is one.
    fn give<T>(&self, at: usize, setting: &mut T)
    where
        Self::Value: Given<T>,
    {
        if let Some(values) = self.values() {
            *setting = values[at].given();
        }
    }
}

impl<T> List for Values<T> {
    type Value = T;

    fn values(&self) -> Option<&[T]> {
        Some(self.as_slice())
    }
}

impl<T> List for Option<Values<T>> {
    type Value = T;

    fn values(&self) -> Option<&[T]> {
        self.as_ref().map(Values::as_slice)
    }
}

/// A value of a list as a point has it.
pub(super) trait Given<T> {
    fn given(&self) -> T;
}

impl<T: Clone> Given<T> for T {
    fn given(&self) -> T {
        self.clone()
    }
}

impl<T: Clone> Given<Option<T>> for T {
    fn given(&self) -> Option<T> {
        Some(self.clone())
    }
}

impl Given<u32> for Count {
    fn given(&self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

impl Given<u8> for Count {
    fn given(&self) -> u8 {
        u8::try_from(self.0).unwrap_or(u8::MAX)
    }
}

impl Given<f64> for ByteSize {
    fn given(&self) -> f64 {
        self.number()
    }
}

/// A setting of a point.
pub(super) trait Shown {
    /// In seconds, bytes, percent, or what else it counts; no number where it is a name.
    fn number(&self) -> f64;

    /// As a scenario may spell it, but for bytes, which are a number.
    fn text(&self) -> String;
}

/// A setting of a point, which may be missing.
pub(super) trait MayBeShown {
    fn shown(&self) -> Option<&dyn Shown>;
}

impl<T: Shown> MayBeShown for T {
    fn shown(&self) -> Option<&dyn Shown> {
        Some(self)
    }
}

impl<T: Shown> MayBeShown for Option<T> {
    fn shown(&self) -> Option<&dyn Shown> {
        self.as_ref().map(|setting| setting as &dyn Shown)
    }
}

macro_rules! shown {
    ($($type:ty: $number:expr),+ $(,)?) => {$(
        impl Shown for $type {
            fn number(&self) -> f64 {
                let number: fn(&Self) -> f64 = $number;
                number(self)
            }

            fn text(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

shown! {
    u8: |number| (*number).into(),
    u32: |number| (*number).into(),
    f64: |number| *number,
    Span: |span| span.0.as_secs_f64(),
    Rate: |rate| rate.hz(),
    ByteSize: |size| float(size.0),
    BitRate: |rate| float(rate.bits()),
    Ways<Span>: |ways| mean(ways, |span| span.number()),
    Ways<Share>: |ways| mean(ways, |share| share.0 * 100.0),
    Ways<BurstLength>: |ways| mean(ways, BurstLength::packets),
}

/// Those that are names.
macro_rules! names {
    ($($type:ty),+ $(,)?) => {
        shown! { $($type: |_| f64::NAN),+ }
    };
}

names! {
    &'static str, bool, CertificateKey, Cipher, ClientKind, Halt, IpVersion, LinkName, Pattern,
    Preference<Group>, Reconnect, SubjectName, Versions, Via, Ways<QueueLimit>,
}

/// The mean of both directions, so that a round trip is twice that.
fn mean<T: Copy>(ways: &Ways<T>, number: fn(T) -> f64) -> f64 {
    f64::midpoint(number(ways.down), number(ways.up))
}

#[expect(clippy::cast_precision_loss, reason = "below 2⁵³")]
const fn float(number: u64) -> f64 {
    number as f64
}
