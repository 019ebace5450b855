//! Money in words, and `money.csv`: what a month of one client costs with each contender, at the prices
//! that the run was given.

use pushbench_core::price::{Currency, Metered, Price, SizeUnit};
use pushbench_metrics::judge::money::{Cost, Entry, Item, Unpriced, Usage, bill};
use pushbench_metrics::judge::stats;
use pushbench_metrics::record::{RunRecord, TrialRecord};

use crate::human;
use crate::rows::{Block, Row, Spread};

/// The cost of each of `trials`, or why that of one is not known; `None` without prices.
pub(crate) fn of_trials(
    price: Option<&Price>,
    trials: &[&TrialRecord],
) -> Option<Result<Vec<Cost>, Unpriced>> {
    let price = price?;
    let usages = trials.iter().filter_map(|trial| Usage::of_trial(trial));
    Some(usages.map(|usage| bill(&usage, price)).collect())
}

/// That of one trial, where it is known.
pub(crate) fn of_trial(price: Option<&Price>, trial: &TrialRecord) -> Option<f64> {
    let costs = of_trials(price, &[trial])?.ok()?;
    costs.first().map(Cost::total)
}

/// `0.0112 USD`, with its ends where there are several trials.
pub(crate) fn cell(row: &Row<'_>) -> Option<String> {
    let (spread, currency) = (row.cost()?, currency(row)?);
    let number = |amount| human::number(amount, 3);
    let middle = format!("{} {currency}", number(spread.middle));
    if spread.trials == 1 {
        return Some(middle);
    }
    Some(format!("{middle} [{}–{}]", number(spread.low), number(spread.high)))
}

fn currency(row: &Row<'_>) -> Option<Currency> {
    let cost = row.costs.as_ref()?.as_ref().ok()?.first()?;
    cost.items.first().map(|item| item.tariff.currency)
}

/// The cost of a client-month with each contender, from the cheapest on, where prices were given.
pub(crate) fn sentence(block: &Block<'_>) -> Option<String> {
    let told = |(row, spread): (&Row<'_>, Spread)| {
        Some(format!("{} {} with {}", spoken(spread.middle), currency(row)?, row.name()))
    };
    let told: Vec<String> = block.ranked(Row::cost).into_iter().filter_map(told).collect();
    (!told.is_empty()).then(|| format!("A month of one client costs {}.", human::list(&told)))
}

fn spoken(amount: f64) -> String {
    human::short_number(amount, 2)
}

/// The bill of each contender, a line for each; the reason where there is none.
pub(crate) fn lines(record: &RunRecord, block: &Block<'_>) -> Vec<String> {
    let Some(price) = &record.price else { return Vec::new() };
    let line = |row: &Row<'_>| {
        let words = match row.costs.as_ref()? {
            Err(reason) => format!("not known at the prices of {}: {reason}", price.name),
            Ok(costs) => itemised(costs)?,
        };
        Some(format!("Cost of {}: {words}.", row.name()))
    };
    block.rows.iter().filter_map(line).collect()
}

/// `1.39 USD = 1.31 for 1,310,000 requests + …`: the items that cost something.
fn itemised(costs: &[Cost]) -> Option<String> {
    let total = stats::median(&costs.iter().map(Cost::total).collect::<Vec<_>>())?;
    let items = medians(costs);
    let currency = items.first()?.tariff.currency;
    let number = |amount| human::number(amount, 3);
    let parts = items.iter().filter(|item| item.amount > 0.0).map(|item| {
        let (units, unit) = (human::number(item.units, 3), item.tariff.unit());
        let what = if item.entry == Entry::Egress { " out" } else { "" };
        let several = if unit.ends_with('B') { "" } else { "s" };
        format!("{} for {units} {unit}{several}{what}", number(item.amount))
    });
    let parts: Vec<String> = parts.collect();
    let parts = if parts.is_empty() { "nothing".to_owned() } else { parts.join(" + ") };
    Some(format!("{} {} = {parts}", number(total), currency))
}

/// The items of bills at the same prices, each with its medians.
pub(crate) fn medians(costs: &[Cost]) -> Vec<Item> {
    let Some(first) = costs.first() else { return Vec::new() };
    let middle = |place: usize, of: fn(&Item) -> f64| {
        let values: Vec<f64> = costs.iter().map(|cost| of(&cost.items[place])).collect();
        stats::median(&values).unwrap_or_default()
    };
    let item = |(place, item): (usize, &Item)| Item {
        units: middle(place, |item| item.units),
        amount: middle(place, |item| item.amount),
        ..*item
    };
    first.items.iter().enumerate().map(item).collect()
}

/// The prices that costs are at, and what in them was not measured, in lines to be read below the tables.
pub(crate) fn legend(record: &RunRecord, blocks: &[Block<'_>]) -> Vec<String> {
    let Some(price) = &record.price else { return Vec::new() };
    let mut text = format!(
        "Costs are at the prices of {} as of {} ({}), to be checked there. A month is 730 hours that all \
         go as the window of {} did, with a client that stays: opening connections, tiers, free quotas and \
         taxes are not in it.",
        price.name, price.as_of, price.source, record.scenario.duration
    );
    let usages = blocks.iter().flat_map(|block| &block.rows).flat_map(|row| &row.trials);
    let is_wire = usages.filter_map(|trial| Usage::of_trial(trial)).all(|usage| usage.out_is_wire);
    if price.egress.is_some() && !is_wire {
        text.push_str(
            " Bytes out are those of sockets, without TCP and IP, which were not counted.",
        );
    }
    let is_metered = |it: &Metered| it.size != SizeUnit::Any;
    if [price.requests, price.messages].iter().flatten().any(is_metered) {
        text.push_str(" Requests and messages are metered by their size on average.");
    }
    if price.cpu.is_some() || price.memory.is_some() {
        text.push_str(
            " CPU and memory are charged as they were used, of this machine: where half of a machine \
             that is paid for stays idle, they cost twice as much. Memory of sockets in the kernel is not \
             in it.",
        );
    }
    vec![text]
}
