//! How every CSV file is written: a header, and lines that have each of its columns. Each cell is
//! data to a spreadsheet, whoever wrote its text.

use ::csv::Writer;
use pushbench_core::text;

/// Lines of fields below a header.
pub(crate) struct Sheet(Writer<Vec<u8>>);

impl Sheet {
    pub(crate) fn new(columns: &[&str]) -> Self {
        let mut sheet = Self(Writer::from_writer(Vec::new()));
        sheet.line(columns.iter().flat_map(|columns| columns.split(',')));
        sheet
    }

    pub(crate) fn line(&mut self, fields: impl IntoIterator<Item = impl AsRef<str>>) {
        let fields = fields.into_iter().map(|field| text::csv(field.as_ref()).into_owned());
        self.0.write_record(fields).expect("a Vec takes it all, and each line has each column");
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0.into_inner().expect("a Vec takes it all")
    }
}
