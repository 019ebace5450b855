//! Messages between the processes of a run.
//!
//! The parent plans; a server child and load children work. Each child reads one JSON object a
//! line on its standard input and answers on its standard output. Nothing here names a pipe or
//! a process id that only the parent's machine knows the meaning of, so that the same messages
//! can travel over a network.
//!
//! ```text
//! parent -> server   ServerPlan, then ServerOrder …          server -> parent   ServerNews …
//! parent -> load     LoadPlan, then LoadOrder …              load   -> parent   LoadNews …
//! ```

mod measured;
mod order;
mod plan;
mod player;

pub use self::measured::{KEPT_ERRORS, LoadMeasured, ServerMeasured};
pub use self::order::{LoadNews, LoadOrder, Progress, ServerNews, ServerOrder, TrialTiming};
pub use self::plan::{Begun, DEFAULT_RAMP, LoadPlan, ServerPlan, Talkers};
pub use self::player::{BrowserPlan, LoadPlayer, Outlet, Place, Room, ServerPlayer, Subject};
