== implied
-- rows: select c.id, pid, pcode, code from c join p on pid = p.id
create table p (id integer primary key, code text unique);
create table c (id integer primary key, pid int references p, pcode text references p (code) on delete set null on update cascade deferrable initially deferred);
insert into p values (1, 'a'), (2, 'b'); insert into c values (1, 1, 'a'), (2, null, 'b');
== pairs
-- rows: select c.id, pid, pcode, code from c join p on pid = p.id
create table p (id int not null, code text, k int, primary key (id, k), unique (code, id));
create table c (id integer primary key, pid int, k int, pcode text, constraint f1 foreign key (pid, k) references p on delete cascade, constraint f2 foreign key (pcode, pid) references p (code, id) match full on update restrict);
insert into p values (1, 'a', 1), (2, 'b', 2); insert into c values (1, 1, 1, 'a'), (2, null, null, 'b');
== circle
-- rows: select n.id, up, other, p.id, nid from n join p
create table n (id integer primary key, up int references n (id) on delete cascade, other int references p);
create table p (id integer primary key, nid int references n (id));
insert into n values (1, null, null), (2, 1, null); insert into p values (1, 2); update n set other = 1;
== missing
-- rows: select * from c
create table gone (id integer primary key);
create table c (id integer primary key, pid int references gone, x int references nowhere (y));
insert into c values (1, null, null);
