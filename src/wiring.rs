//! The calls into the compiler, the executor and the engines, and what their errors mean for the command.

use std::sync::Arc;

use mig_compiler::{Compiled, Diagnostic, Intent, Options, SpecFile, spec};
use mig_executor::{Driver, Failure};
use mig_plan::{Dialect, Snapshot};

use crate::{
    commands,
    engines::{self, Engine},
    exit::{Reason, Trouble},
    spec_files,
    target::Database,
};

/// Checks specs without a database; gives the number of objects that they declare.
pub(crate) fn validate(specs: &[SpecFile], engine: &Engine) -> Result<usize, Vec<Diagnostic>> {
    let dialect = engine.usual_dialect();
    let document = spec::parse(specs, engines::of_specs(engine.name))?;
    let intent = spec::resolve(&document, dialect.as_ref())?;
    Ok(intent.goal.objects.len())
}

/// What specs mean to an engine.
pub(crate) fn intent(specs: &[SpecFile], dialect: &dyn Dialect) -> Result<Intent, Trouble> {
    spec::parse(specs, engines::of_specs(dialect.engine()))
        .and_then(|document| spec::resolve(&document, dialect))
        .map_err(|found| spec_files::invalid(&found, specs))
}

/// Reads specs for a database while that database is pulled: the one keeps this machine busy, the other the server.
pub(crate) fn intent_and_pull(specs: &[SpecFile], database: &Database) -> Result<(Intent, Snapshot), Trouble> {
    commands::wait(async {
        let driver = connect(database).await?;
        let dialect = driver.dialect();
        let dialect = (database.engine.dialect)(dialect.version(), dialect.default_schema());
        let specs: Arc<[SpecFile]> = specs.into();
        let reading = tokio::task::spawn_blocking(move || intent(&specs, dialect.as_ref()));
        let snapshot = pull_and_close(driver, database).await;
        // What is wrong with the specs is said first: it holds whatever the database is.
        let intent = reading.await.map_err(|e| Trouble::new(Reason::Internal, format!("reading the specs: {e}")))??;
        Ok((intent, snapshot?))
    })
}

/// Compiles specs against a database as pulled.
pub(crate) fn compile(
    specs: &[SpecFile],
    intent: &Intent,
    snapshot: &Snapshot,
    target: Option<&str>,
) -> Result<Compiled, Trouble> {
    let dialect = dialect(snapshot)?;
    let options = Options { target: target.map(str::to_owned), engines: engines::NAMES };
    mig_compiler::compile_intent(intent, snapshot, dialect.as_ref(), &options)
        .map_err(|found| spec_files::invalid(&found, specs))
}

/// The dialect of a pulled database.
pub(crate) fn dialect(snapshot: &Snapshot) -> Result<Box<dyn Dialect>, Trouble> {
    let engine = engines::of_name(&snapshot.engine)?;
    Ok((engine.dialect)(&snapshot.version, snapshot.default_schema.clone()))
}

/// Specs that declare a pulled schema.
pub(crate) fn import(snapshot: &Snapshot) -> Result<Vec<SpecFile>, Trouble> {
    Ok(mig_compiler::import(snapshot, dialect(snapshot)?.as_ref()))
}

/// A spec in the usual layout.
pub(crate) fn fmt(spec: &SpecFile) -> Result<String, Box<Diagnostic>> {
    mig_compiler::fmt(&spec.text).map_err(|mut wrong| {
        wrong.path.get_or_insert_with(|| spec.path.clone());
        Box::new(wrong)
    })
}

/// The JSON Schema of spec files.
pub(crate) fn json_schema() -> String {
    mig_compiler::json_schema(engines::NAMES)
}

/// Opens a session.
pub(crate) async fn connect(database: &Database) -> Result<Box<dyn Driver>, Trouble> {
    (database.engine.connect)(database.url.clone()).await.map_err(|failure| unreachable(database, &failure))
}

/// Reads the whole schema of a database.
pub(crate) async fn pull(database: &Database) -> Result<Snapshot, Trouble> {
    pull_and_close(connect(database).await?, database).await
}

async fn pull_and_close(mut driver: Box<dyn Driver>, database: &Database) -> Result<Snapshot, Trouble> {
    let snapshot = driver.pull().await.map_err(|failure| unreachable(database, &failure))?;
    driver.close().await.map_err(|failure| unreachable(database, &failure))?;
    Ok(snapshot)
}

fn unreachable(database: &Database, failure: &Failure) -> Trouble {
    let reason = match failure {
        Failure::Broken { .. } => Reason::Internal,
        Failure::Transient { .. } | Failure::Refused { .. } | Failure::Lost { .. } | Failure::Unreachable { .. } => {
            Reason::Database
        }
    };
    let says = match failure {
        Failure::Broken { says } => says.clone(),
        other => format!("cannot read {database}: {other}"),
    };
    Trouble::new(reason, says)
        .untouched("nothing was written")
        .next("check that the database is there and the URL names it")
}
