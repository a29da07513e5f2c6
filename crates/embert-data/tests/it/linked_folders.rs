//! Links in directories: `datasets` reads a folder once, and a link to a file as a file.

use std::os::unix::fs::symlink;

use embert_data::input_parts;

use crate::TestDir;

#[test]
fn a_folder_is_read_once_and_links_to_files_are_files() {
    for (files, links, expected) in [
        (&["a.csv", "sub/b.csv"][..], &[("link", "sub")][..], &["a.csv", "sub/b.csv"][..]),
        (&["a.csv", "sub/b.csv"], &[("x/link", "../sub")], &["a.csv", "sub/b.csv"]),
        (&["a.csv"], &[("loop", "."), ("sub/loop", "..")], &["a.csv"]),
        (&["a.csv"], &[("loop", ".."), ("loop2", "../..")], &["a.csv"]),
        (&["a.csv"], &[("b.csv", "a.csv")], &["a.csv", "b.csv"]),
        (&["a.csv"], &[("b.csv", "../out/c.csv"), ("gone.csv", "missing")], &["a.csv", "b.csv"]),
        // `datasets` leaves out the rows that only a link leads to.
        (&["a.csv"], &[("link", "../out")], &["a.csv", "link/c.csv"]),
        (&["a.csv"], &[("link", "../out"), ("../out/back", "../data")], &["a.csv", "link/c.csv"]),
        (&[".store/a.csv"], &[("now", ".store"), (".store/loop", ".")], &["now/a.csv"]),
    ] {
        let dir = TestDir::new();
        files.iter().for_each(|name| drop(dir.write(&format!("data/{name}"), "text,label\na,0\n")));
        dir.write("out/c.csv", "text,label\na,0\n");
        for (link, target) in links {
            let link = dir.path("data").join(link);
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(target, link).unwrap();
        }
        for path in ["data", "data/*", "data/**", "data/**/*", "data/**/*.csv", "dat*"] {
            let parts = input_parts(&dir.path(path)).unwrap();
            let parts =
                parts.iter().map(|part| part.strip_prefix(dir.path("data")).unwrap().to_str().unwrap());
            assert_eq!(parts.collect::<Vec<_>>(), expected, "{path} with {links:?}");
        }
    }
}

#[test]
fn a_link_is_followed_if_the_path_names_it() {
    let dir = TestDir::new();
    dir.write("data/sub/a.csv", "text,label\na,0\n");
    symlink("sub", dir.path("data/link")).unwrap();
    symlink("data", dir.path("all")).unwrap();
    for (path, expected) in [
        ("data/link", "data/link/a.csv"),
        ("data/link/*", "data/link/a.csv"),
        ("*/link/*.csv", "data/link/a.csv"),
        ("all", "all/sub/a.csv"),
        ("all/**", "all/sub/a.csv"),
        ("all/**/*.csv", "all/sub/a.csv"),
    ] {
        assert_eq!(input_parts(&dir.path(path)).unwrap(), [dir.path(expected)], "{path}");
    }
}
