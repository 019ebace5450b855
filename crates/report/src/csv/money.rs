//! `money.csv`: the bill of a month of one client.

use pushbench_core::price::Price;
use pushbench_metrics::judge::money::Item;
use pushbench_metrics::record::RunRecord;

use super::Sheet;
use crate::cost::medians;
use crate::rows::blocks;

/// The columns of `money.csv` behind those of a point's transport.
const MONEY: &str = "price,currency,item,unit,units_per_client_month,unit_count,price_per_unit_count,\
cost_per_client_month";

/// The digits of money behind the point in CSV files, where a month of one client may cost next to nothing.
pub(super) const DECIMALS: usize = 8;

/// `money.csv`: a line for each item of each contender's bill at each point.
pub(crate) fn money(record: &RunRecord, price: &Price) -> Vec<u8> {
    let blocks = blocks(record);
    let mut sheet = Sheet::of_rows(MONEY);
    for row in blocks.iter().flat_map(|block| &block.rows) {
        let Some(Ok(costs)) = &row.costs else { continue };
        for item in medians(costs) {
            let Item { entry, tariff, units, amount } = item;
            let fields = [
                price.name.clone(),
                tariff.currency.to_string(),
                entry.name().to_owned(),
                tariff.unit().to_owned(),
                format!("{units:.DECIMALS$}"),
                tariff.count.to_string(),
                tariff.amount.to_string(),
                format!("{amount:.DECIMALS$}"),
            ];
            sheet.of_row(row, fields);
        }
    }
    sheet.finish()
}
