//! Whatever happens: deleted ⊆ old inventory − new tree.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::bed::{Bed, Ended, edit};
use super::kill::INSTANTS;
use super::tree::{Extra, Name, Wants};
use crate::tool;

/// Numbers by chance, the same each time: xorshift64*.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        random.draw();
        random
    }

    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.draw() % end
    }

    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("small")
    }

    pub fn chance(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }
}

/// All that is allowed, so that nothing but the rules of deletion is in the way.
const APPLY: [&str; 5] = ["apply", "--yes", "--allow-prune", "--adopt", "--force-conflicts"];
const EXTRAS: usize = 9;

struct Story<'a> {
    bed: &'a Bed,
    random: Random,
    /// A tree with all extra objects: where they are.
    all: Wants,
    /// The tree that is applied next.
    wants: Wants,
    /// Objects that others made, and no tree has had since: they stay as they are.
    strangers: BTreeMap<(usize, Name), Value>,
    /// What runs that were killed may have deleted, if their last requests came late.
    late: Vec<BTreeSet<Name>>,
    log: Vec<String>,
}

impl Story<'_> {
    fn render(&mut self) {
        let chosen = (0..EXTRAS).filter(|_| !self.random.chance(3)).collect::<Vec<_>>();
        let extras: Vec<Extra> = chosen
            .iter()
            .map(|number| Extra::new(*number, ["a", "b"][self.random.index(2)]))
            .collect();
        self.log.push(format!("tree {chosen:?}"));
        self.wants = self.bed.render(&extras);
    }

    /// Somebody deletes, edits, or puts something of his own.
    fn meddle(&mut self) {
        let at = self.random.index(2);
        let number = self.random.index(EXTRAS);
        let extra = Extra::new(number, "theirs");
        let name = format!("{}/sample/{}", extra.kind, extra.name);
        let want = self.all.0[at][&name].clone();
        let client = &self.bed.clients[at];
        let there = client.get(&want.path).is_some();
        let word = match (there, self.random.below(3)) {
            (true, 0) => {
                client.delete(&want.path);
                self.strangers.remove(&(at, name.clone()));
                "deletes"
            }
            (true, 1) if !self.strangers.contains_key(&(at, name.clone())) => {
                let label = json!({"metadata": {"labels": {"value": "edited"}}});
                edit(client, &want.path, &label);
                "edits"
            }
            (true, 1) => return,
            (there, _) => {
                if there {
                    client.delete(&want.path);
                }
                let mut object = want.object;
                object["metadata"]["labels"] = json!({"value": "theirs"});
                let manager = ["someone", "kubectl"][self.random.index(2)];
                let made = client.apply(&want.path, manager, &object).ok();
                self.strangers.insert((at, name.clone()), made);
                "puts his own"
            }
        };
        self.log.push(format!("somebody {word} {name} in c{}", at + 1));
    }

    /// One run, killed or not; gives how it ended, if it was not killed.
    fn run(&mut self, kill: bool) -> Option<Ended> {
        let before: Vec<BTreeSet<Name>> =
            (0..2).map(|at| self.bed.records(at).1.into_keys().collect()).collect();
        let may_go: Vec<BTreeSet<Name>> =
            (0..2).map(|at| &before[at] - &self.wants.names(at)).collect();
        self.bed.forget();
        let ended = if kill {
            let (at, n) = (self.random.index(2), 1 + self.random.index(9));
            let when = INSTANTS[self.random.index(3)];
            self.log.push(format!("killed at write {n} to c{}, {when:?}", at + 1));
            self.bed.killed_or_done(&APPLY, at, n, when)
        } else {
            self.log.push("apply".to_owned());
            Some(self.bed.run(&APPLY))
        };
        let what = self.what();
        let allowed: Vec<BTreeSet<Name>> =
            may_go.iter().zip(&self.late).map(|(own, late)| own | late).collect();
        self.bed.deleted_only(&allowed, &what);
        let killed = ended.is_none();
        self.late = if killed { may_go } else { vec![BTreeSet::new(); 2] };
        // what a tree has is adopted
        let wants = &self.wants;
        self.strangers.retain(|(at, name), _| !wants.0[*at].contains_key(name));
        self.check_strangers(&what);
        ended
    }

    fn check_strangers(&self, what: &str) {
        for ((at, name), made) in &self.strangers {
            let live = self.bed.clients[*at].get(&self.all.0[*at][name].path);
            let uid = live.as_ref().map(|live| &live["metadata"]["uid"]);
            assert_eq!(uid, Some(&made["metadata"]["uid"]), "{what}: {name} in c{}", at + 1);
            let labels = live.as_ref().map(|live| &live["metadata"]["labels"]["value"]);
            assert_eq!(labels, Some(&json!("theirs")), "{what}: {name}");
        }
        for at in 0..2 {
            self.bed.intact(at, what);
        }
    }

    fn what(&self) -> String {
        self.log.join("\n")
    }
}

#[test]
fn only_what_the_inventory_holds_and_the_tree_does_not_is_ever_deleted() {
    let Some(bed) = Bed::start() else { return };
    let seed = std::env::var("MESHGEN_SEED").ok().and_then(|text| text.parse().ok());
    let seed: u64 = seed.unwrap_or(2026);
    tool::announce(&format!("seed: MESHGEN_SEED={seed} for trees, kills and manual changes"));
    let extras: Vec<Extra> = (0..EXTRAS).map(|number| Extra::new(number, "a")).collect();
    let all = bed.render(&extras);
    let mut story = Story {
        bed: &bed,
        random: Random::new(seed),
        wants: all.clone(),
        all,
        strangers: BTreeMap::new(),
        late: vec![BTreeSet::new(); 2],
        log: vec![format!("seed {seed}")],
    };
    let started = std::time::Instant::now();
    let mut kills = 0;
    for _ in 0..12 {
        story.render();
        for _ in 0..story.random.below(3) {
            story.meddle();
        }
        while !story.random.chance(3) {
            kills += usize::from(story.run(true).is_none());
            if story.random.chance(2) {
                story.meddle();
            }
        }
        // sometimes the next tree comes before this one is done
        if story.random.chance(4) {
            continue;
        }
        let ended = story.run(false).expect("nobody killed it");
        ended.expect(0, &story.what());
        bed.is_applied(&story.wants, &story.what());
    }
    story.run(false).expect("nobody killed it").expect(0, &story.what());
    bed.is_applied(&story.wants, &story.what());
    bed.writes_nothing(&APPLY, 0, &story.what());
    tool::announce(&format!(
        "measured: twelve trees by chance, {kills} kills: {:.0} s",
        started.elapsed().as_secs_f64()
    ));
}
