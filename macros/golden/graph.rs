fn clean(text: impl Input<String> + Copy + ::fanfold::__private::Single) -> Out<String> {
    let guard = ::fanfold::__private::enter("clean");
    strip(text)
}
