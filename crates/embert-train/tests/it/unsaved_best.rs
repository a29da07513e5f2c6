//! A best model whose checkpoint could not be saved: the run goes on, and can be resumed with the best saved model.

use std::fs;
use std::path::Path;

use embert_model::ProblemType;
use embert_train::{Checkpoint, Event, IntervalStrategy, TrainConfig, TrainData, fit};

use crate::best_model;
use crate::resume::Recipe;
use crate::tiny::{self, Examples};

fn recipe(save_total_limit: Option<usize>) -> Recipe {
    let config =
        TrainConfig { save_strategy: IntervalStrategy::Epoch, save_total_limit, ..best_model::config() };
    Recipe { config, lora: None, problem_type: ProblemType::default() }
}

/// Trains to the end, and cannot save the checkpoint of step `unsaved`.
fn train(recipe: &Recipe, output_dir: &Path, unsaved: usize) {
    let (train, eval) = (Examples::new(20), Examples::new(12));
    let data = TrainData { eval: Some(eval.labelled()), ..train.train_only() };
    let mut directory = recipe.directory(output_dir, None);
    let in_the_way = output_dir.with_extension("partial").join(format!("checkpoint-{unsaved}.tmp"));
    fit(tiny::model(0.1), data, &recipe.config, &mut |event| {
        match &event {
            Event::CheckpointDue(snapshot) if snapshot.state.step() == unsaved => {
                fs::write(&in_the_way, "").unwrap();
                directory.record(&event).unwrap_err();
                fs::remove_file(&in_the_way).unwrap();
            }
            _ => drop(directory.record(&event)?),
        }
        tiny::CONTINUE
    })
    .unwrap();
}

#[test]
fn a_run_without_its_best_checkpoint_resumes_with_the_best_saved_one() {
    let new_bests = best_model::train(&best_model::config()).saved;
    assert!(new_bests.len() > 1 && new_bests.iter().all(|(step, _)| *step < 24), "the case needs two bests");
    for (index, &(unsaved, _)) in new_bests.iter().enumerate() {
        let mut others = new_bests.iter().filter(|(step, _)| *step != unsaved);
        let (best_step, best_weights) = others.next_back().unwrap();
        for limit in [None, Some(1), Some(2)] {
            let (folder, recipe) = (tiny::folder(), recipe(limit));
            let output_dir = folder.path().join("out");
            train(&recipe, &output_dir, unsaved);
            let (newest, damaged) = Checkpoint::newest(&output_dir.with_extension("partial")).unwrap();
            let newest = newest.unwrap();
            assert!(damaged.is_empty(), "best {index} of limit {limit:?}: {damaged:?}");
            assert_eq!(newest.state().step(), 24);
            let (fitted, _) = recipe.train(&folder.path().join("resumed"), Some(&newest), None);
            let fitted = fitted.unwrap();
            assert_eq!(fitted.model_step, *best_step, "best {index} of limit {limit:?}");
            assert!(tiny::weights(&fitted.model) == *best_weights);
        }
    }
}
