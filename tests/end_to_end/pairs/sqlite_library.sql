== first
-- rows: select * from authors order by id; select * from books order by id; select * from sqlite_sequence where name not like '\_mig%' escape '\' order by name
create table authors (id integer not null primary key autoincrement, name varchar not null);
create table books (id integer not null primary key autoincrement, author_id integer not null, title varchar, isbn varchar(13), created_at datetime(6) not null, constraint fk_rails_1 foreign key (author_id) references authors (id));
create index index_books_on_author_id on books (author_id);
create unique index index_books_on_isbn on books (isbn);
insert into authors (name) values ('a'), ('b'), ('c');
delete from authors where id = 3;
insert into books (author_id,title,isbn,created_at) values (1,'t','1','2020'),(2,'u',null,'2021');
== second
-- rows: select * from writers order by id; select * from books order by id; select * from sqlite_sequence where name not like '\_mig%' escape '\' order by name
-- was: table.writers authors
-- was: table.books.columns.writer_id author_id
-- arrives: select * from writers order by id; select * from books order by id; select * from sqlite_sequence where name not like '\_mig%' escape '\' order by name
create table writers (id integer not null primary key autoincrement, name varchar not null, born date);
create table books (id integer not null primary key autoincrement, writer_id integer not null, title varchar not null default '', isbn varchar(13), created_at datetime(6) not null, constraint fk_rails_2 foreign key (writer_id) references writers (id) on delete cascade);
create index index_books_on_writer_id on books (writer_id);
create unique index index_books_on_isbn on books (isbn) where isbn is not null;
insert into writers (name) values ('a'), ('b'), ('c');
delete from writers where id = 3;
insert into books (writer_id,title,isbn,created_at) values (1,'t','1','2020'),(2,'u',null,'2021');
== first again
-- was: table.authors writers
-- was: table.books.columns.author_id writer_id
create table authors (id integer not null primary key autoincrement, name varchar not null);
create table books (id integer not null primary key autoincrement, author_id integer not null, title varchar, isbn varchar(13), created_at datetime(6) not null, constraint fk_rails_1 foreign key (author_id) references authors (id));
create index index_books_on_author_id on books (author_id);
create unique index index_books_on_isbn on books (isbn);
insert into authors (name) values ('a'), ('b'), ('c');
delete from authors where id = 3;
insert into books (author_id,title,isbn,created_at) values (1,'t','1','2020'),(2,'u',null,'2021');
