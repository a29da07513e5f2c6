//! The best model of a run, and early stopping.

use std::ops::ControlFlow;

use embert_train::{
    BestModelMetric, Event, Fitted, IntervalStrategy, LogEntry, Snapshot, TrainConfig, TrainData, fit,
};

use crate::tiny::{self, Examples};

/// With this learning rate, the evaluation loss goes up and down.
pub(crate) fn config() -> TrainConfig {
    TrainConfig {
        num_train_epochs: 8.0,
        learning_rate: 0.1,
        lr_scheduler_type: embert_train::LrSchedulerType::Constant,
        eval_strategy: IntervalStrategy::Epoch,
        save_strategy: IntervalStrategy::No,
        load_best_model_at_end: true,
        ..TrainConfig::default()
    }
}

pub(crate) struct Recorded {
    fitted: Fitted,
    /// The step and the loss of each evaluation.
    losses: Vec<(usize, f64)>,
    /// The step and the weights of each checkpoint.
    pub(crate) saved: Vec<(usize, Vec<Vec<f32>>)>,
}

pub(crate) fn train(config: &TrainConfig) -> Recorded {
    let (train, eval) = (Examples::new(20), Examples::new(12));
    let data = TrainData { eval: Some(eval.labelled()), ..train.train_only() };
    let (mut losses, mut saved) = (vec![], vec![]);
    let fitted = fit(tiny::model(0.1), data, config, &mut |event| {
        match event {
            Event::Evaluated(LogEntry::Evaluation { step, evaluation, .. }) => {
                losses.push((*step, evaluation.metrics.loss()));
            }
            Event::CheckpointDue(Snapshot { state, model, .. }) => {
                assert_eq!(state.best().unwrap().step, state.step());
                saved.push((state.step(), tiny::weights(model)));
            }
            _ => {}
        }
        tiny::CONTINUE
    });
    Recorded { fitted: fitted.unwrap(), losses, saved }
}

fn lowest(losses: &[(usize, f64)]) -> (usize, f64) {
    *losses.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
}

#[test]
fn the_run_ends_with_the_weights_of_its_best_evaluation() {
    let Recorded { fitted, losses, .. } = train(&config());
    let (step, loss) = lowest(&losses);
    assert!(losses.len() == 8 && step < 24, "the best must not be the last: {losses:?}");
    assert_eq!((fitted.model_step, fitted.report.global_step), (step, 24));
    assert_eq!(fitted.report.best.map(|best| (best.step, best.metric)), Some((step, loss)));
    let again = Examples::new(12).evaluate(&fitted.model);
    assert!((again.metrics.loss() - loss).abs() < 1e-5 * loss, "{} and {loss}", again.metrics.loss());
}

#[test]
fn every_new_best_model_is_saved_at_once() {
    let Recorded { fitted, losses, saved } = train(&config());
    let mut best = f64::INFINITY;
    let new_bests = losses.iter().filter(|(_, loss)| {
        let is_best = *loss < best;
        best = best.min(*loss);
        is_best
    });
    let steps = new_bests.map(|(step, _)| *step).collect::<Vec<_>>();
    assert_eq!(saved.iter().map(|(step, _)| *step).collect::<Vec<_>>(), steps);
    assert!(saved.last().unwrap().1 == tiny::weights(&fitted.model));
}

#[test]
fn without_load_best_model_at_end_the_run_returns_the_last_weights() {
    let recorded = train(&TrainConfig {
        load_best_model_at_end: false,
        metric_for_best_model: Some(BestModelMetric::Loss),
        ..config()
    });
    assert!(recorded.saved.is_empty());
    let best = recorded.fitted.report.best.unwrap();
    assert_eq!((recorded.fitted.model_step, best.step), (24, lowest(&recorded.losses).0));
    assert!(tiny::weights(&recorded.fitted.model) != tiny::weights(&train(&config()).fitted.model));
}

#[test]
fn early_stopping_ends_the_run_with_a_complete_log() {
    let patient = train(&config());
    let stopped =
        train(&TrainConfig { early_stopping_patience: Some(1), logging_steps: 100.into(), ..config() });
    let first_worse = patient.losses.windows(2).position(|pair| pair[1].1 >= pair[0].1).unwrap() + 1;
    assert_eq!(stopped.losses, patient.losses[..=first_worse]);
    let report = &stopped.fitted.report;
    assert!(report.stopped_early && !report.interrupted && report.global_step < 24);
    assert_eq!(report.global_step, stopped.losses[first_worse].0);
    let logged = report
        .log_history
        .iter()
        .any(|entry| matches!(entry, LogEntry::Train(line) if line.step == report.global_step));
    assert!(logged, "the steps since the last log are logged");
    assert!(!patient.fitted.report.stopped_early);
}

#[test]
fn an_interrupted_run_returns_the_current_weights() {
    let (train, eval) = (Examples::new(20), Examples::new(12));
    let data = TrainData { eval: Some(eval.labelled()), ..train.train_only() };
    let fitted = fit(tiny::model(0.1), data, &config(), &mut |event| {
        let stops = matches!(event, Event::Step(log) if log.step == 4);
        Ok(if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })
    .unwrap();
    assert!(fitted.report.interrupted);
    assert_eq!((fitted.model_step, fitted.report.best.unwrap().step), (4, 3));
}
