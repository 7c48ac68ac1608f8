//! What is deployed on AWS: it is found, and what measuring it will cost is agreed on, before anything is called.

use std::io::{self, IsTerminal, Write};

use anyhow::{Result, ensure};
use benches::aws::Aws;
use benches::deployment::Deployment;
use benches::estimate::{Estimate, Measure};
use benches::place::Account;
use benches::results::Settings;
use benches::target::Target;
use benches::variant::Variant;

use crate::arguments::Arguments;

/// The account that the environment names, where each of the variants is deployed; the floor is taken from them if it is
/// not.
///
/// # Errors
/// Fails when a variant is not there, and when the answer is that it may not cost that much.
pub(crate) async fn account(
    arguments: &Arguments,
    settings: &Settings,
    variants: &mut Vec<Variant>,
) -> Result<Account> {
    let account = Account {
        aws: Aws::of_environment().await?,
        stacks: arguments.stacks(),
    };
    let deployments = find(&account, variants).await?;
    confirm(&Estimate::of(settings, &deployments)?, arguments.yes)?;
    Ok(account)
}

/// Finds the stacks of the variants, each of which has to be there; but the floor is left out if it is not.
async fn find(account: &Account, variants: &mut Vec<Variant>) -> Result<Vec<Measure>> {
    let floor = account.stack(Variant::Noop);
    if Target::find(&account.aws, &floor, Variant::Noop).await?.is_none() {
        eprintln!("noop: left out, for there is no stack {floor}");
        variants.retain(|variant| *variant != Variant::Noop);
    }
    let mut found = Vec::new();
    for &variant in &*variants {
        let deployment = Deployment::find(variant, account).await?;
        found.push(Measure::of(&deployment.target).await?);
        eprintln!("{variant}: stack {}", account.stack(variant));
    }
    Ok(found)
}

/// Shows what it will cost, and asks whether it may.
fn confirm(estimate: &Estimate, is_confirmed: bool) -> Result<()> {
    eprintln!("{estimate}");
    if is_confirmed {
        return Ok(());
    }
    let stdin = io::stdin();
    ensure!(
        stdin.is_terminal(),
        "there is no terminal to ask on whether it may cost that much: say so with --yes"
    );
    eprint!("Go on? [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    stdin.read_line(&mut answer)?;
    ensure!(
        ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()),
        "nothing was measured"
    );
    Ok(())
}
