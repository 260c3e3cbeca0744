//! The order of steps: a graph whose every edge has a reason, cut into a list that depends on nothing but the steps themselves.

mod circles;
mod dag;
mod marks;
mod needs;
mod rules;
mod uses;

pub(crate) use self::{
    circles::Circles,
    dag::{CycleFound, Sorted, sort},
    marks::is_type,
    rules::{Edge, Ground, Node, edges},
};
