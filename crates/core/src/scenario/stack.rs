//! The tables of a scenario for what stands under a transport: TLS and coding.

use serde::{Deserialize, Serialize};

use super::check::{check_largest, check_list, check_number};
use super::{Axis, Point, Scenario, ScenarioError, Values, setting};
use crate::compression::{Compression, LEVELS, WINDOW_BITS};
use crate::contender::Contender;
use crate::named::Preference;
use crate::tls::{self, CertificateKey, Cipher, Group, Tls, Versions};
use crate::units::{ByteSize, Count};

/// The `[tls]` table of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsTable {
    /// The groups of the key exchange, as clients prefer them: `X25519MLKEM768:X25519`.
    pub groups: Values<Preference<Group>>,
    /// The key of the server's certificate.
    pub certificate: Values<CertificateKey>,
    /// The versions that are spoken: `1.3:1.2`.
    pub versions: Values<Versions>,
    /// The cipher that seals records.
    pub cipher: Values<Cipher>,
    /// Whether a client that comes again resumes its session.
    pub resumption: Values<bool>,
}

/// The `[compression]` table of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompressionTable {
    /// How hard the compressor tries.
    pub level: Values<Count>,
    /// The logarithm of how many bytes it looks back.
    pub window_bits: Values<Count>,
    /// The size from which a message is compressed.
    pub threshold: Values<ByteSize>,
}

impl Default for TlsTable {
    fn default() -> Self {
        let Tls { groups, certificate, versions, cipher, resumption } = Tls::default();
        Self {
            groups: Values::One(groups),
            certificate: Values::One(certificate),
            versions: Values::One(versions),
            cipher: Values::One(cipher),
            resumption: Values::One(resumption),
        }
    }
}

impl Default for CompressionTable {
    fn default() -> Self {
        let Compression { level, window_bits, threshold } = Compression::default();
        Self {
            level: Values::One(Count(level.into())),
            window_bits: Values::One(Count(window_bits.into())),
            threshold: Values::One(threshold),
        }
    }
}

impl Scenario {
    /// Checks both tables, and that each setting in them is one of a contender that is run.
    pub(super) fn check_stack(&self) -> Result<(), ScenarioError> {
        let Self { tls: tables, compression, .. } = self;
        check_list("tls.certificate", &tables.certificate, |_| Ok(()))?;
        check_list("tls.versions", &tables.versions, |_| Ok(()))?;
        check_list("tls.cipher", &tables.cipher, |_| Ok(()))?;
        check_list("tls.resumption", &tables.resumption, |_| Ok(()))?;
        check_list("tls.groups", &tables.groups, |groups| {
            let versions = tables.versions.as_slice();
            versions.iter().try_for_each(|versions| tls::check_groups(groups, versions))
        })?;
        check_list("compression.level", &compression.level, |it| check_number(it.0, &LEVELS))?;
        check_list("compression.window_bits", &compression.window_bits, |it| {
            check_number(it.0, &WINDOW_BITS)
        })?;
        check_list("compression.threshold", &compression.threshold, |it| check_largest(*it))?;
        self.check_readers()
    }

    /// The settings of TLS and codings that a contender has, where they are not at `point` what
    /// they are by default.
    pub fn unusual_of_stack(&self, point: &Point) -> impl Iterator<Item = Axis> {
        let usual = Point::numbered(1);
        let is_of_stack = |axis: &Axis| !Contender::basic().any(|it| axis.is_read_by(it));
        let axes = Axis::ALL.into_iter().filter(is_of_stack).filter(|axis| self.is_read(*axis));
        axes.filter(move |axis| axis.is_known_at(point) && axis.text(point) != axis.text(&usual))
    }

    fn is_read(&self, axis: Axis) -> bool {
        self.contenders.iter().any(|&contender| axis.is_read_by(contender))
    }

    /// That whoever sets what stands under a transport runs one that has it.
    fn check_readers(&self) -> Result<(), ScenarioError> {
        let default = Self::default();
        for axis in Axis::ALL.into_iter().filter(|axis| !self.is_read(*axis)) {
            if axis.len(self) == 1 && axis.first(self) == axis.first(&default) {
                continue;
            }
            let reader = Contender::all().find(|&it| axis.is_read_by(it));
            let problem = format!(
                "none of the transports that are run has it; add one that does, such as {}, or \
                 leave it out",
                reader.map_or("", Contender::name)
            );
            return Err(setting(axis.key(), problem));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::Version;

    const SECURE: &str = "transports = [\"sse\", \"websocket+tls+deflate\"]\n";

    #[test]
    fn each_setting_may_be_a_list_and_spans_points() {
        let text = "[tls]\ngroups = [\"X25519MLKEM768:X25519\", \"X25519\"]\n\
                    certificate = [\"p256\", \"rsa-2048\"]\nversions = \"1.2\"\n\
                    resumption = [true, false]\n\
                    [compression]\nlevel = [1, 9]\nwindow_bits = 12\nthreshold = [0, \"1KiB\"]";
        let points = Scenario::parse(&format!("{SECURE}{text}")).unwrap().points(None);
        assert_eq!(points.len(), 32);
        let last = &points[31];
        let label = "groups=X25519 certificate=rsa-2048 resumption=false level=9 \
                     compressed-from=1024B";
        assert_eq!(last.label, label);
        let (groups, versions) = (last.tls.groups.as_slice(), last.tls.versions.as_slice());
        assert_eq!((groups, versions), (&[Group::X25519][..], &[Version::V1_2][..]));
        let compression = Compression { level: 9, window_bits: 12, threshold: ByteSize(1024) };
        assert_eq!(last.compression, compression);
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_key_with_what_can() {
        for (text, part) in [
            ("[tls]\ngroups = \"x448\"", "expected one of `X25519MLKEM768`, `X25519`, `secp256r1`"),
            ("[tls]\nversions = \"1.1\"", "`1.1`, expected `1.3` or `1.2`"),
            ("[tls]\ncertificate = \"dsa\"", "expected `p256` or `rsa-2048`"),
            ("[tls]\ncipher = \"rc4\"", "expected one of `any`, `aes-128-gcm`, `aes-256-gcm`"),
            ("[tls]\ncipher = []", "tls.cipher: the list is empty"),
            ("[tls]\nkey = \"p256\"", "unknown field `key`"),
            (
                "[tls]\ngroups = \"X25519MLKEM768\"\nversions = [\"1.3\", \"1.2\"]",
                "tls.groups: TLS 1.2 has no X25519MLKEM768; name another group",
            ),
            ("[compression]\nlevel = 0", "compression.level: 0 is not within 1 and 9"),
            ("[compression]\nwindow_bits = [9, 16]", "window_bits: 16 is not within 9 and 15"),
            ("[compression]\nthreshold = \"2MiB\"", "threshold: 2MiB is too large"),
        ] {
            let error = Scenario::parse(&format!("{SECURE}{text}")).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn what_no_contender_has_is_refused_with_one_that_would() {
        let cases = [
            ("sse+gzip", "[tls]\nresumption = false", "tls.resumption", "short-poll+tls"),
            ("sse", "[tls]\ncipher = [\"any\", \"aes-128-gcm\"]", "tls.cipher", "short-poll+tls"),
            ("sse+tls", "[compression]\nlevel = 1", "compression.level", "short-poll+gzip"),
        ];
        for (contender, text, key, remedy) in cases {
            let with = |name| Scenario::parse(&format!("transports = [\"{name}\"]\n{text}"));
            let error = with(contender).unwrap_err().to_string();
            assert!(error.starts_with(key) && error.contains(remedy), "{error}");
            with("sse+tls+gzip").unwrap();
        }
        Scenario::parse("[tls]\nresumption = true").expect("it says what holds anyway");
    }

    /// A record may have been written by anybody.
    #[test]
    fn a_point_in_json_keeps_the_rules() {
        let point = &Scenario::default().points(None)[0];
        let mut json = serde_json::to_value(point).unwrap();
        assert_eq!(&serde_json::from_value::<Point>(json.clone()).unwrap(), point);
        json["compression"]["window_bits"] = 99.into();
        let error = serde_json::from_value::<Point>(json.clone()).unwrap_err().to_string();
        assert!(error.contains("compression.window_bits: 99 is not within"), "{error}");
        for member in ["tls", "compression"] {
            json.as_object_mut().unwrap().remove(member);
        }
        assert_eq!(&serde_json::from_value::<Point>(json).unwrap(), point, "one of an older build");
    }
}
