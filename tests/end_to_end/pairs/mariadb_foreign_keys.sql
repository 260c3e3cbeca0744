== narrow
-- rows: select * from c join p on p.code = c.pcode order by c.id
create table p (id int primary key, code varchar(10), unique (code));
create table c (id int primary key, pid int, pcode varchar(10), constraint fk1 foreign key (pid) references p (id), foreign key (pcode) references p (code) on delete set null on update cascade);
insert into p values (1, 'a'), (2, 'b'); insert into c values (1, 1, 'a'), (2, null, 'b');
== wide
-- rows: select * from c join p on p.code = c.pcode order by c.id
create table p (id bigint primary key, code varchar(20), unique (code));
create table c (id int primary key, pid bigint, pcode varchar(20), constraint fk1 foreign key (pid) references p (id) on delete cascade, constraint fk2 foreign key (pcode) references p (code) on delete restrict);
insert into p values (1, 'a'), (2, 'b'); insert into c values (1, 1, 'a'), (2, null, 'b');
== circle
-- rows: select * from n order by id
create table n (id int primary key, parent int, up int, key pk (parent), constraint self foreign key (parent) references n (id) on delete cascade, constraint self2 foreign key (up) references n (id));
create table p (id int primary key, cid int, code varchar(10));
create table c (id int primary key, pid int);
alter table p add constraint pc foreign key (cid) references c (id);
alter table c add constraint cp foreign key (pid) references p (id);
insert into n values (1, null, null), (2, 1, 1);
